/** REST, WebSocket, health and metrics over HTTP, and the built-in connection `http`. */

export { httpReference } from './docs/reference.ts';
export type { ApiKey } from './http/access/auth.ts';
export { loadServerCertificate, type TlsSettings } from './http/server/certificates.ts';
export { type ClientCertificate, clientCertificate } from './http/server/client-certificate.ts';
export { ListenFailed } from './http/server/listening.ts';
export { ANSWERS, type Answer } from './resources/answers.ts';
export type { ConfigControl, ConfigInForce, ConfigProblem, ReloadResult } from './resources/config/control.ts';
export { httpAdapter } from './resources/messages/http-adapter.ts';
export { type Api, type ApiOptions, createApi, type HttpOptions } from './server.ts';
