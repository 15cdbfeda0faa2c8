export * from './adapter-suite.ts';
export { type OwnBrokerOptions, type OwnBrokers, unique, useBrokers, useSharedBrokers } from './brokers.ts';
export { type BusInstance, type BusSuite, busContract } from './bus-suite.ts';
export { type Peer, type ScriptedServer, scriptedServer } from './fake-server.ts';
export { type LeakCheck, leakCheck } from './leaks.ts';
export {
  type PowerCutImage,
  type PowerCutOptions,
  type PowerCutWriter,
  powerCutImages,
  powerCutRefusal,
} from './power-cut.ts';
export { type ProxyTarget, type TcpProxy, tcpProxy } from './proxy.ts';
export type { BrokerName, SharedBroker } from './shared-brokers.ts';
export { type WaitOptions, waitFor } from './wait.ts';
