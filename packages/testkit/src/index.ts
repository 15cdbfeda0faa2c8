export * from './adapter-suite.ts';
export { type Peer, type ScriptedServer, scriptedServer } from './fake-server.ts';
export { type LeakCheck, leakCheck } from './leaks.ts';
export { type ProxyTarget, type TcpProxy, tcpProxy } from './proxy.ts';
export { type WaitOptions, waitFor } from './wait.ts';
