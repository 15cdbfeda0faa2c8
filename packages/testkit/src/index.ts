export * from './adapter-suite.ts';
