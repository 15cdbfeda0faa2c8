/** Routes: patterns, expressions, templates, loop and guarantee analysis. Pure, no I/O. */
export { type CompileInput, compileRoutes } from './compile.ts';
export { routesSchema } from './route/schema.ts';
export * from './types.ts';
