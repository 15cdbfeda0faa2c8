import { unique, useSharedBrokers } from '@magpie/testkit';
import { afterAll, expect, it } from 'vitest';
import { type GatewayHome, gatewayHome } from '../../support/gateway-process.ts';
import { watch } from '../../support/http-side.ts';
import { rawChat } from '../../support/raw-xmpp.ts';

const shared = useSharedBrokers('prosody');
let home: GatewayHome | undefined;
afterAll(() => home?.remove());

it('a chat message sent while the gateway is down arrives when it is back, marked as sent before', async () => {
  const { urls, ca, ports, control } = shared.prosody;
  const account = unique('bridge');
  await control('register', account, 'localhost', 'bridge-secret');
  const chat = {
    type: 'xmpp',
    jid: `${account}@localhost`,
    password: 'bridge-secret',
    url: urls.plain,
    tls: { ca },
    subscribe: [{ jid: 'alice@localhost' }],
  };
  home = await gatewayHome(
    JSON.stringify({ version: 1, gateway: { id: 'late' }, http: { port: 0 }, connections: { chat } }),
  );
  expect(await (await home.start()).terminate()).toBe(0);

  const id = unique('late');
  const alice = await rawChat(ports.plain, 'alice', 'alice-secret');
  alice.send(`<message to="${account}@localhost" type="chat" id="${id}"><body>are you there?</body></message>`);
  alice.send('<iq type="get" id="sent"><ping xmlns="urn:xmpp:ping"/></iq>');
  await alice.answer('sent');
  alice.close();

  const watcher = await watch((await home.start({ ready: false })).url, 'earliest');
  const shown = await watcher.shown(id);
  expect(shown).toMatchObject({ text: 'are you there?', address: 'jid:alice@localhost', redelivered: true });
  expect(shown.origin.delayed).toEqual(expect.any(String));
  watcher.close();
});
