export type { Broker, BrokerUser, StartOptions } from './broker.ts';
export {
  type MosquittoBroker,
  type MosquittoOptions,
  type MosquittoPort,
  type MosquittoUrl,
  type MosquittoUser,
  startMosquitto,
} from './mosquitto.ts';
