/** REST, WebSocket, health and metrics over HTTP, and the built-in connection `http`. */
export { ANSWERS, type Answer } from './answers.ts';
export { httpReference } from './docs/reference.ts';
export type { ApiKey } from './http/auth.ts';
export { ListenFailed } from './http/listening.ts';
export { httpAdapter } from './http-adapter.ts';
export type { ConfigControl, ConfigInForce, ConfigProblem, ReloadResult } from './resources/config/control.ts';
export { type Api, type ApiOptions, createApi, type HttpOptions } from './server.ts';
