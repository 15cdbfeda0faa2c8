import { useBrokers } from '@magpie/testkit';
import { xml } from '@xmpp/client';
import { onTestFinished } from 'vitest';
import { type StockClient, stockClient } from '../../../packages/adapter-xmpp/test/support/peer.ts';
import { ask } from './http.ts';
import type { Victim } from './victim.ts';

const users = ['magpie', 'alice', 'bob'].map((name) => ({ name, password: `${name}-secret` }));

/** The namespace of rooms (XEP-0045). */
export const MUC = 'http://jabber.org/protocol/muc';

/** A real chat server of its own for a test file, with the account of a gateway and two people. Called at the top level. */
export function useChatSite(stanzaSizeLimit?: number) {
  const options = stanzaSizeLimit === undefined ? {} : { stanzaSizeLimit };
  const brokers = useBrokers({
    prosody: { archive: false, users, extraConfig: ['allow_unencrypted_plain_auth = true'], ...options },
  });
  return {
    get prosody() {
      return brokers.prosody;
    },
    room: (name: string): string => `${name}@${brokers.prosody.rooms}`,
    /** Keys of the gateway's connection. */
    chat: () => ({
      type: 'xmpp',
      jid: 'magpie@localhost',
      password: 'magpie-secret',
      url: brokers.prosody.urls.plain,
      tls: { ca: brokers.prosody.ca },
      nick: 'magpie',
      createRooms: true,
    }),
    /** A person in rooms, who goes with the test. */
    async person(username: string, ...rooms: readonly string[]): Promise<StockClient> {
      const service = brokers.prosody.urls.plain;
      const client = stockClient({ service, username, password: `${username}-secret`, rooms });
      onTestFinished(() => client.close());
      await client.online();
      return client;
    },
  };
}

/** A line said in a room. */
export const say = (room: string, body: string) =>
  xml('message', { to: room, type: 'groupchat' }, xml('body', {}, body));

/** Messages that a client received, in order. */
export const textsOf = (client: StockClient): readonly string[] =>
  client.messages.flatMap((message) => message.getChild('body')?.getText() ?? []);

/** The state of the connection `chat`, as the API shows it. */
export const stateOf = async ({ url }: Victim): Promise<string> => (await ask(`${url}/v1/connections/chat`)).body;

/** How often the connection `chat` has come up. */
export const linksOf = ({ gateway }: Victim): number => gateway.logs().split('chat is up').length - 1;
