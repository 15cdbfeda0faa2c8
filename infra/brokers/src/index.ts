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
} from './kinds/mosquitto.ts';
export { startProsody } from './kinds/prosody.ts';
export type { ProsodyBroker, ProsodyOptions, ProsodyPort, ProsodyUrl } from './kinds/prosody-options.ts';
export {
  type RabbitmqBroker,
  type RabbitmqOptions,
  type RabbitmqPort,
  type RabbitmqUrl,
  type RabbitmqUser,
  startRabbitmq,
} from './kinds/rabbitmq.ts';
export { type Program, type ProgramOptions, startProgram } from './process/program.ts';
export { messageOf, type RunOptions, run } from './process/run.ts';
export { standstill } from './process/standstill.ts';
