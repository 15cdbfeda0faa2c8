import { waitFor } from '@magpie/testkit';
import { rawChat } from './raw-xmpp.ts';

/** A person's client that takes in very many presences: it keeps who is there, and acknowledges what it gets (XEP-0198). */
export interface Watcher {
  /** Bare JIDs of contacts that are there. */
  readonly there: ReadonlySet<string>;
  /** Why the server has ended the session; undefined while it has not. */
  readonly ended: string | undefined;
  /** Forgets who is there. */
  forget(): void;
  close(): void;
}

const ELEMENT =
  /<(presence|message|iq)\b[^>]*?(?:\/>|>[\s\S]*?<\/\1>)|<r\b[^>]*\/>|<enabled\b[^>]*\/>|<stream:error>[\s\S]*?<\/stream:error>/g;
const FROM = /^<presence\b[^>]*?\sfrom=["']([^"'/]+)/;
const TYPE = /^<presence\b[^>]*?\stype=["'](\w+)/;

/** Logs in without TLS, by SCRAM-SHA-1. */
export async function watcher(port: number, user: string, password: string): Promise<Watcher> {
  const there = new Set<string>();
  let [text, handled] = ['', -1];
  let ended: string | undefined;
  const take = (element: string): void => {
    if (element.startsWith('<enabled')) handled = 0;
    else if (element.startsWith('<r')) chat.send(`<a xmlns='urn:xmpp:sm:3' h='${Math.max(handled, 0)}'/>`);
    else if (element.startsWith('<stream:error')) ended = element;
    else if (handled >= 0) handled += 1;
    const jid = FROM.exec(element)?.[1];
    const type = TYPE.exec(element)?.[1];
    if (jid === undefined) return;
    if (type === undefined) there.add(jid);
    else if (type === 'unavailable') there.delete(jid);
  };
  const chat = await rawChat(port, user, password, (chunk) => {
    text += chunk;
    let end = 0;
    for (const match of text.matchAll(ELEMENT)) {
      take(match[0]);
      end = match.index + match[0].length;
    }
    text = text.slice(end);
  });
  void chat.ended().then(() => {
    ended ??= 'the server has closed the connection';
  });
  chat.send("<enable xmlns='urn:xmpp:sm:3'/><presence/>");
  await waitFor(() => handled >= 0, { what: 'stream management' });
  return {
    there,
    get ended() {
      return ended;
    },
    forget: () => there.clear(),
    close: () => {
      chat.send("<presence type='unavailable'/></stream:stream>");
      chat.close();
    },
  };
}
