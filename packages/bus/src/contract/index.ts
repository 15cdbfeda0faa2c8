/** What every store promises, and the records that go in and out. */
export * from './commit.ts';
export * from './errors.ts';
export * from './event-log.ts';
export * from './position.ts';
export * from './queries.ts';
export * from './records.ts';
export * from './state.ts';
