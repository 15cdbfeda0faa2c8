export type { Broker, BrokerSet, BrokerUrls, BrokerUser, StartOptions } from './broker.ts';
export { type BrokerSetOptions, NoBrokers, startBrokerSet } from './broker-set.ts';
export { type BrokerAvailability, type EnsureOptions, ensureBrokers, type Installable } from './install.ts';
export { createAccount } from './kinds/accounts.ts';
export { startEjabberd } from './kinds/ejabberd.ts';
export type { EjabberdOptions } from './kinds/ejabberd-configuration.ts';
export {
  type MosquittoBroker,
  type MosquittoOptions,
  type MosquittoPort,
  type MosquittoUrl,
  type MosquittoUser,
  startMosquitto,
} from './kinds/mosquitto.ts';
export { type ProsodyBroker, type ProsodyOptions, startProsody } from './kinds/prosody.ts';
export {
  type RabbitmqBroker,
  type RabbitmqOptions,
  type RabbitmqPort,
  type RabbitmqUrl,
  type RabbitmqUser,
  startRabbitmq,
} from './kinds/rabbitmq.ts';
export { createAccountWithContacts } from './kinds/rosters.ts';
export type { XmppPort, XmppServer, XmppServerOptions } from './kinds/xmpp-server.ts';
export { type Program, type ProgramOptions, startProgram } from './process/program.ts';
export { requirePython } from './process/python.ts';
export { messageOf, type RunOptions, run } from './process/run.ts';
export { standstill } from './process/standstill.ts';
