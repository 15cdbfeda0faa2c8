import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Broker, MosquittoBroker, ProsodyBroker, RabbitmqBroker } from '@magpie/brokers';
import type { ConnectionName } from '../clients/paths.ts';

/** The gateway's account at one broker, whose password the operator of that broker changes. */
export interface Account {
  readonly connection: ConnectionName;
  readonly broker: Broker;
  /** Gives the account another password; the gateway is not told. */
  revoke(): Promise<void>;
  /** Gives it the old one again. */
  restore(): Promise<void>;
}

/** The name of the gateway's account at every broker, and a password that a search of its output would find. */
export const GATEWAY = { name: 'gateway', password: 'k7-Vault+of:Larks/91' } as const;
/** Another account: its password is what the gateway's becomes. */
export const STRANGER = { name: 'stranger', password: 'nobody-knows-this-one' } as const;

/** Settings of the connections that log in with that account. */
export const LOGINS = {
  floor: { username: GATEWAY.name, password: GATEWAY.password },
  erp: { username: GATEWAY.name, password: GATEWAY.password },
  chat: { jid: `${GATEWAY.name}@localhost`, password: GATEWAY.password },
} as const;

/** Forms in which a password can leak: as it is, in base64 as logins carry it, and inside a URL or JSON. */
export const leakedForms = (): readonly string[] => [
  GATEWAY.password,
  Buffer.from(GATEWAY.password).toString('base64').slice(0, -4),
  Buffer.from(`\0${GATEWAY.name}\0${GATEWAY.password}`).toString('base64').slice(0, -4),
  encodeURIComponent(GATEWAY.password),
];

/** Mosquitto reads its password file again on SIGHUP. */
export const mosquittoAccount = (broker: MosquittoBroker): Account =>
  inFile({
    connection: 'floor',
    broker,
    file: join(broker.dataDir, 'passwords'),
    foreign: async (own) => {
      const lineOf = (name: string): string => own.split('\n').find((line) => line.startsWith(`${name}:`)) ?? '';
      return own.replace(lineOf(GATEWAY.name), lineOf(STRANGER.name).replace(STRANGER.name, GATEWAY.name));
    },
    reload: () => broker.pid !== undefined && process.kill(broker.pid, 'SIGHUP'),
  });

/** Prosody reads the account at every login. */
export function prosodyAccount(broker: ProsodyBroker): Account {
  const file = ({ name }: { readonly name: string }): string =>
    join(broker.dataDir, 'data', 'localhost', 'accounts', `${name}.dat`);
  return inFile({
    connection: 'chat',
    broker,
    file: file(GATEWAY),
    foreign: () => readFile(file(STRANGER), 'utf8'),
    reload: () => undefined,
  });
}

/** RabbitMQ changes it by its control program. */
export const rabbitmqAccount = (broker: RabbitmqBroker): Account => ({
  connection: 'erp',
  broker,
  revoke: async () => void (await broker.control('change_password', GATEWAY.name, STRANGER.password)),
  restore: async () => void (await broker.control('change_password', GATEWAY.name, GATEWAY.password)),
});

interface PasswordFile extends Pick<Account, 'connection' | 'broker'> {
  readonly file: string;
  /** What the file says when the gateway's account has the stranger's password. */
  foreign(own: string): Promise<string>;
  reload(): void;
}

/** An account whose password is in a file. */
function inFile({ file, foreign, reload, ...account }: PasswordFile): Account {
  let own: string | undefined;
  const put = async (text: string): Promise<void> => {
    await writeFile(file, text);
    reload();
  };
  return {
    ...account,
    revoke: async () => {
      own ??= await readFile(file, 'utf8');
      await put(await foreign(own));
    },
    restore: async () => {
      if (own === undefined) throw new Error(`the password at ${account.broker.name} has not been revoked`);
      await put(own);
    },
  };
}
