import { describe, expect, it } from 'vitest';
import { command } from '../support/command.ts';
import { fileWith } from '../support/fixtures.ts';

const COMPONENT = {
  ...{ type: 'xmpp', mode: 'component', domain: 'devices.example.org', secret: 's', url: 'xmpp://127.0.0.1:5347' },
  contacts: { allow: ['*@example.org'] },
};
const ACCOUNT = { type: 'xmpp', jid: 'bridge@example.org', password: 'p' };

/** What `magpie check` prints of one route between an XMPP connection and a broker. */
async function check(chat: object, route: object): Promise<string> {
  const connections = { chat, floor: { type: 'mqtt', url: 'mqtt://127.0.0.1' } };
  const config = { version: 1, gateway: { id: 'magpie' }, connections, routes: { route } };
  return (await command('check', fileWith(JSON.stringify(config)))).stdout;
}

const toFloor = { connection: 'floor', topic: 'x' };
const fromFloor = { connection: 'floor', topic: 'plant/{device}/status' };

describe('what magpie check says of accounts and components', () => {
  it('refuses what can never be received', async () => {
    expect(await check(COMPONENT, { from: { connection: 'chat', jid: '{user}@example.org' }, to: toFloor })).toContain(
      'what is written to a component is received by "contact"',
    );
    expect(await check(ACCOUNT, { from: { connection: 'chat', contact: '{device}' }, to: toFloor })).toContain(
      '"contact" is an address of a component',
    );
  });

  it('refuses a sender that an account cannot be', async () => {
    const to = { connection: 'chat', jid: 'a@b', from: '${device}' };
    expect(await check(ACCOUNT, { from: fromFloor, to })).toContain('an account sends as itself only');
  });

  it('knows how sure a presence is, though its parts come from the event', async () => {
    const presence = { available: '${payload.online}', show: '${payload.show}', status: '${payload.text}' };
    const to = { connection: 'chat', contact: '${device}', presence };
    expect(await check(COMPONENT, { from: fromFloor, to })).toMatch(/contact:\$\{device\} +at-least-once/);
  });

  it('wants contact and presence together', async () => {
    expect(await check(COMPONENT, { from: fromFloor, to: { connection: 'chat', contact: '${device}' } })).toContain(
      'expected "contact" and "presence" together',
    );
  });
});
