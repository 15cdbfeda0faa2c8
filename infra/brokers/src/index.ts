export type { Broker, BrokerSet, BrokerUrls, BrokerUser, StartOptions } from './broker.ts';
export { type BrokerSetOptions, NoBrokers, startBrokerSet } from './broker-set.ts';
export { type BrokerAvailability, type EnsureOptions, ensureBrokers } from './install.ts';
export {
  type MosquittoBroker,
  type MosquittoOptions,
  type MosquittoPort,
  type MosquittoUrl,
  type MosquittoUser,
  startMosquitto,
} from './mosquitto.ts';
export { type Program, type ProgramOptions, startProgram } from './program.ts';
export { startProsody } from './prosody.ts';
export type { ProsodyBroker, ProsodyOptions, ProsodyPort, ProsodyUrl } from './prosody-options.ts';
export {
  type RabbitmqBroker,
  type RabbitmqOptions,
  type RabbitmqPort,
  type RabbitmqUrl,
  type RabbitmqUser,
  startRabbitmq,
} from './rabbitmq.ts';
export { messageOf, type RunOptions, run } from './run.ts';
export { standstill } from './standstill.ts';
