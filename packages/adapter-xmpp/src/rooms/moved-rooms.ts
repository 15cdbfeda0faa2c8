import type { ConnectionStore } from '@magpie/contract';
import { bareJid, jidProblem, normalJid, resourceOf, splitJid } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';

const KEY = 'moved ';

/**
 * Rooms whose owner has closed them and named another one instead (XEP-0045 §10.9). Everything else goes on to call such a room
 * by the address that routes and configuration know it by: here that is exchanged for the one where it is, in both directions.
 * One per connection; kept in the log.
 */
export class MovedRooms {
  readonly #store: ConnectionStore;
  readonly #isOn: boolean;
  readonly #whereTo = new Map<string, string>();
  readonly #names = new Map<string, string>();
  #loaded: Promise<void> | undefined;

  /** @param isOn whether rooms are followed at all; without it nothing is exchanged. */
  constructor(store: ConnectionStore, isOn: boolean) {
    this.#store = store;
    this.#isOn = isOn;
  }

  /** Takes up what a former process knew. Called at every connect; reads once. */
  load(): Promise<void> {
    this.#loaded ??= this.#read();
    return this.#loaded;
  }

  /**
   * A room has moved.
   * @param to where to, as its owner says.
   * @returns false when it is not followed: that is off, or no address of a room that is not one of ours already.
   */
  follow(room: string, to: string, isOurs: (jid: string) => boolean): boolean {
    const { local, resource } = splitJid(to);
    const problem = local === '' || resource !== undefined || jidProblem(splitJid(to)) !== undefined;
    const jid = normalJid(to);
    if (this.#isOn && jid === room && this.#whereTo.has(room)) return this.#back(room);
    if (!this.#isOn || problem || isOurs(jid) || (this.#names.get(jid) ?? room) !== room || jid === room) return false;
    this.#set(room, jid);
    // A log that has failed ends the process; nothing is to be done about it here.
    this.#store.put(new Map([[KEY + room, jid]])).catch(() => undefined);
    return true;
  }

  /** Where a room is, when it has moved. */
  addressOf(room: string): string | undefined {
    return this.#whereTo.get(room);
  }

  /** The address to write to: of a room that has moved, or of an occupant of it, the one where it is. */
  outgoing(jid: string): string {
    if (this.#whereTo.size === 0) return jid;
    return exchanged(jid, this.#whereTo);
  }

  /** Makes a message or presence of a room that has moved one of the room as it is known here. */
  incoming(stanza: Element): void {
    if (this.#names.size === 0) return;
    const archived = stanza.getChild('result', NS.archive)?.getChild('forwarded', NS.forward)?.getChild('message');
    for (const each of [stanza, ...(archived ? [archived] : [])]) {
      exchange(each, 'from', this.#names);
      for (const id of each.getChildren('stanza-id', NS.stanzaId)) exchange(id, 'by', this.#names);
      for (const delay of each.getChildren('delay', NS.delay)) exchange(delay, 'from', this.#names);
    }
  }

  /** A room is again where it was in the beginning. */
  #back(room: string): true {
    this.#names.delete(this.#whereTo.get(room) ?? '');
    this.#whereTo.delete(room);
    this.#store.put(new Map([[KEY + room, undefined]])).catch(() => undefined);
    return true;
  }

  async #read(): Promise<void> {
    if (!this.#isOn) return;
    try {
      for (const [key, to] of await this.#store.entries())
        if (key.startsWith(KEY)) this.#set(key.slice(KEY.length), to);
    } catch (error) {
      this.#loaded = undefined;
      throw error;
    }
  }

  #set(room: string, to: string): void {
    const former = this.#whereTo.get(room);
    if (former !== undefined) this.#names.delete(former);
    this.#whereTo.set(room, to);
    this.#names.set(to, room);
  }
}

function exchanged(jid: string, addresses: ReadonlyMap<string, string>): string {
  const other = addresses.get(bareJid(jid));
  const resource = resourceOf(jid);
  return other === undefined ? jid : resource === undefined ? other : `${other}/${resource}`;
}

function exchange(element: Element, name: string, addresses: ReadonlyMap<string, string>): void {
  const jid = attribute(element, name);
  if (jid !== undefined) element.attrs[name] = exchanged(jid, addresses);
}
