/** Routes: patterns, expressions, templates, loop and guarantee analysis. Pure, no I/O. */
export { patternFromText } from './address/pattern-text.ts';
export { createTrie, type Trie } from './address/trie.ts';
export { type CompileInput, compileRoutes } from './compile.ts';
export { routesSchema } from './route/schema.ts';
export * from './types.ts';
