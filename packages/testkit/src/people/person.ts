import { randomUUID } from 'node:crypto';
import type { XmppServer } from '@magpie/brokers';
import { type WaitOptions, waitFor } from '../wait.ts';
import type {
  ArchivePage,
  CommandStep,
  Contact,
  Discovered,
  FormValues,
  PersonEvent,
  ReceivedMessage,
  ReceivedPresence,
} from './answers.ts';

/** Where a person logs in. */
export type PersonServer = Pick<XmppServer, 'host' | 'ports' | 'domain' | 'ca'>;

/** How a person logs in. */
export interface PersonOptions {
  /** Default: the name followed by `-secret`. */
  readonly password?: string;
  /** Default: one that the server makes. */
  readonly resource?: string;
  /** TLS from the first byte, on the other port. Default: STARTTLS. */
  readonly tls?: boolean;
  /** Stream management (XEP-0198), so that `reconnect` can resume. Default false: a cut ends the session at once. */
  readonly managed?: boolean;
  /** Accepts everybody who wants to be a contact, and asks back. Default false: the test answers. */
  readonly accept?: boolean;
  /** Answers requests for receipts. Default true. */
  readonly receipts?: boolean;
  /** Sends presence, without which no messages come, and fetches the roster. Default true. */
  readonly presence?: boolean;
}

/** A message that a person sends. */
export interface Said {
  readonly type?: 'chat' | 'groupchat' | 'normal' | 'headline';
  readonly id?: string;
  readonly thread?: string;
  readonly subject?: string;
  /** Asks for a receipt (XEP-0184). */
  readonly receipt?: boolean;
  /** Further child elements, as text. */
  readonly xml?: string;
}

/** A presence that a person sends. */
export interface Shown {
  /** Default: everybody who may see it. */
  readonly to?: string;
  readonly type?: 'unavailable' | 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed' | 'probe';
  readonly show?: 'away' | 'chat' | 'dnd' | 'xa';
  readonly status?: string;
  readonly priority?: number;
}

/** Which page of an archive is wanted. */
export interface ArchiveQuery {
  /** Whose archive, such as a room. Default: the own account's. */
  readonly jid?: string;
  readonly with?: string;
  /** Times of XEP-0082. */
  readonly start?: string;
  readonly end?: string;
  /** Ids of the archive. */
  readonly after?: string;
  readonly before?: string;
  /** The newest page. */
  readonly last?: boolean;
  readonly max?: number;
}

/** Asks the program for something and resolves with its answer. */
export type Ask = (what: string, parameters?: object) => Promise<unknown>;

/**
 * A person at an XMPP client, made by `People.login`. Methods resolve when the server or the other side has answered, and
 * reject with `PersonError` when that is a refusal; what is only sent resolves at once.
 */
export class Person {
  /** The full JID. */
  jid = '';
  /** False after `logout`, `cut`, and when the server ends the stream. */
  online = false;
  /** Everything that has arrived, in order. */
  readonly messages: ReceivedMessage[] = [];
  readonly presences: ReceivedPresence[] = [];
  readonly #server: PersonServer;
  readonly #name: string;
  readonly #ask: Ask;

  constructor(server: PersonServer, name: string, ask: Ask) {
    this.#server = server;
    this.#name = name;
    this.#ask = ask;
  }

  /** Takes what has happened to this person. */
  hear(happened: PersonEvent): void {
    if (happened.event === 'message') this.messages.push(happened);
    else if (happened.event === 'presence') this.presences.push(happened);
    else this.online = false;
  }

  /** Logs in; called by `People.login`, and again after `logout` or the end of a server. */
  async login({ password = `${this.#name}-secret`, resource, tls = false, ...options }: PersonOptions = {}) {
    const { domain, host, ports, ca } = this.#server;
    const jid = `${this.#name}@${domain}${resource === undefined ? '' : `/${resource}`}`;
    const place = { host, port: tls ? ports.tls : ports.plain, ca, tls };
    const given = (await this.#ask('login', { jid, password, ...place, ...options })) as { jid: string };
    this.jid = given.jid;
    this.online = true;
  }

  /** Connects after `cut`; with stream management the session goes on. */
  async reconnect(): Promise<{ readonly resumed: boolean }> {
    const { resumed } = (await this.#ask('reconnect')) as { resumed: boolean };
    this.online = true;
    return { resumed };
  }

  /** Says goodbye. */
  async logout(): Promise<void> {
    await this.#ask('logout');
  }

  /** Breaks the connection without a goodbye. */
  async cut(): Promise<void> {
    await this.#ask('cut');
  }

  /** Sends a message. @returns its id. */
  async say(to: string, body: string, options: Said = {}): Promise<string> {
    return ((await this.#ask('say', { to, body, id: randomUUID(), ...options })) as { id: string }).id;
  }

  /** Sends a message to a room that was joined. @returns its id. */
  sayIn(room: string, body: string, options: Said = {}): Promise<string> {
    return this.say(room, body, { type: 'groupchat', ...options });
  }

  /** Waits for the first message that matches, among all that have arrived. */
  message(
    matches: (message: ReceivedMessage) => boolean,
    options: Partial<WaitOptions> = {},
  ): Promise<ReceivedMessage> {
    return waitFor(() => found(this.messages, matches), { what: `a message for ${this.jid}`, ...options });
  }

  /** Waits for the first presence that matches, among all that have arrived. */
  presence(
    matches: (presence: ReceivedPresence) => boolean,
    options: Partial<WaitOptions> = {},
  ): Promise<ReceivedPresence> {
    return waitFor(() => found(this.presences, matches), { what: `a presence for ${this.jid}`, ...options });
  }

  /** Sends presence, a probe or an answer about being a contact. */
  async show(presence: Shown = {}): Promise<void> {
    await this.#ask('presence', presence);
  }

  /** Asks to see somebody's presence. */
  subscribe(to: string): Promise<void> {
    return this.show({ to, type: 'subscribe' });
  }

  async roster(): Promise<readonly Contact[]> {
    return (await this.#ask('roster')) as Contact[];
  }

  /** Removes a contact. */
  async forget(jid: string): Promise<void> {
    await this.#ask('forget', { jid });
  }

  /**
   * Enters a room. A new one is opened to others, with these fields of its owner's form, such as
   * `muc#roomconfig_membersonly`.
   */
  async join(
    room: string,
    nick: string,
    options: { readonly password?: string; readonly history?: number; readonly configure?: FormValues } = {},
  ): Promise<{ readonly nick: string; readonly created: boolean; readonly occupants: readonly string[] }> {
    return (await this.#ask('join', { room, nick, ...options })) as {
      nick: string;
      created: boolean;
      occupants: string[];
    };
  }

  async leave(room: string): Promise<void> {
    await this.#ask('leave', { room });
  }

  /** Changes fields of a room, as its owner. */
  async configure(room: string, fields: FormValues): Promise<void> {
    await this.#ask('configure', { room, fields });
  }

  /** Sets somebody's affiliation with a room, as its owner or admin. */
  async affiliate(
    room: string,
    jid: string,
    affiliation: 'owner' | 'admin' | 'member' | 'none' | 'outcast',
  ): Promise<void> {
    await this.#ask('affiliate', { room, jid, affiliation });
  }

  async disco(jid: string, node?: string): Promise<Discovered> {
    return (await this.#ask('disco', { jid, node })) as Discovered;
  }

  async items(
    jid: string,
    node?: string,
  ): Promise<ReadonlyArray<{ readonly jid: string; readonly node: string | null; readonly name: string | null }>> {
    return (await this.#ask('items', { jid, node })) as Array<{
      jid: string;
      node: string | null;
      name: string | null;
    }>;
  }

  /**
   * Takes one step of an ad-hoc command.
   * @param step nothing for the first step; then the session of the answer, with the fields filled in.
   */
  async command(
    jid: string,
    node: string,
    step: { readonly action?: string; readonly session?: string; readonly fields?: FormValues } = {},
  ): Promise<CommandStep> {
    return (await this.#ask('command', { jid, node, ...step })) as CommandStep;
  }

  async vcard(jid: string): Promise<{ readonly name: string; readonly xml: string }> {
    return (await this.#ask('vcard', { jid })) as { name: string; xml: string };
  }

  /** Fetches one page of an archive. */
  async archive(query: ArchiveQuery = {}): Promise<ArchivePage> {
    return (await this.#ask('archive', query)) as ArchivePage;
  }

  /**
   * Asks an upload service for a slot and puts a file there.
   * @returns where it can be got, and the HTTP status of the upload.
   */
  async upload(
    service: string,
    file: { readonly name: string; readonly type: string; readonly content: Uint8Array },
  ): Promise<{ readonly put: string; readonly get: string; readonly status: number }> {
    const { name, type, content } = file;
    const base64 = Buffer.from(content).toString('base64');
    return (await this.#ask('upload', { service, name, type, base64 })) as { put: string; get: string; status: number };
  }

  async ping(jid: string): Promise<void> {
    await this.#ask('ping', { jid });
  }

  /** Asks something else. @returns the whole answer. */
  async iq(type: 'get' | 'set', xml: string, to?: string): Promise<string> {
    return ((await this.#ask('iq', { type, xml, to })) as { xml: string }).xml;
  }

  /** Sends a stanza as it is. */
  async raw(xml: string): Promise<void> {
    await this.#ask('raw', { xml });
  }
}

/** The first that matches; without one the error shows what has arrived instead. */
function found<Stanza extends { readonly xml: string }>(
  arrived: readonly Stanza[],
  matches: (stanza: Stanza) => boolean,
): Stanza {
  const first = arrived.find(matches);
  if (first) return first;
  throw new Error(`among ${arrived.length}, of which the last were: ${arrived.slice(-5).map(({ xml }) => xml)}`);
}
