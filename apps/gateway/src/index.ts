/** The composition root: the list of adapters and how a gateway is put together from a configuration. */
export { ADAPTERS } from './adapters.ts';
export { type Assembled, assemble } from './assemble.ts';
export { type Compiled, compileFile } from './compile.ts';
