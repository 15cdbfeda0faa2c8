/** The composition root: the list of adapters and how a gateway is put together from a configuration. */
export { ADAPTERS } from './adapters.ts';
export { type Compiled, compileFile } from './config/compile.ts';
export { type Assembled, assemble } from './runtime/assemble.ts';
