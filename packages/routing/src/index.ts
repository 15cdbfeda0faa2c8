/** Routes: patterns, expressions, templates, loop and guarantee analysis. Pure, no I/O. */
export * from './types.ts';
