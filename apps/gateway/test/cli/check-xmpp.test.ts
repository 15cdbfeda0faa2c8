import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

  it('names what a target cannot say of what people do with a message', async () => {
    const from = { connection: 'chat', room: 'ops@conference.example.org' };
    expect(await check(ACCOUNT, { from, to: toFloor })).toContain(
      'corrections, retractions, replies, files, reactions  ',
    );
    const about = { from, when: '!has(origin.replaces) && !has(origin.retracts) && !has(origin.reaction)' };
    const toRoom = { connection: 'chat', room: 'lab@conference.example.org', refers: { reply: '${origin.reply.id}' } };
    expect(await check(ACCOUNT, { ...about, to: toRoom })).toMatch(/at-least-once +files +from chat/);
    const reactions = { ...from, kind: ['reaction', 'receipt'] };
    expect(await check(ACCOUNT, { from: reactions, to: toFloor })).toMatch(/ +reactions, receipts +from chat/);
    const presence = await check(ACCOUNT, { from: { ...from, kind: 'presence' }, to: toFloor });
    expect(presence).not.toContain('LOSSY');
  });

  it('says that a node is named in full, and that nobody can be allowed there', async () => {
    const at = (node: string) => ({ connection: 'chat', node, service: 'pubsub.example.org' });
    expect(await check(ACCOUNT, { from: at('{node}'), to: toFloor })).toContain('a node is written in full');
    const allowed = await check(ACCOUNT, { from: at('plant/alarms'), allow: ['*@example.org'], to: toFloor });
    expect(allowed).toContain('"allow" would let nothing pass: a node does not say who has sent');
    const plain = await check(ACCOUNT, { from: at('plant/alarms'), to: toFloor });
    expect(plain).toMatch(/at-most-once +from chat: XMPP: what is published while the gateway is away/);
    expect(plain).not.toMatch(/whoever can write|LOSSY/);
  });

  it('wants contact and presence together', async () => {
    expect(await check(COMPONENT, { from: fromFloor, to: { connection: 'chat', contact: '${device}' } })).toContain(
      'expected "contact" and "presence" together',
    );
  });

  it('refuses commands of which no form can be made, that are twice at a contact, or that nobody could find', async () => {
    const route = (name: string, contact = '{device}') => ({
      from: { connection: 'chat', contact, command: name },
      allow: ['*@example.org'],
      to: toFloor,
    });
    const checked = async (chat: object, routes: object, schema = '{}'): Promise<string> => {
      const connections = { chat, floor: { type: 'mqtt', url: 'mqtt://127.0.0.1' } };
      const file = fileWith(JSON.stringify({ version: 1, gateway: { id: 'magpie' }, connections, routes }));
      writeFileSync(join(dirname(file), 'form.json'), schema);
      return (await command('check', file)).stdout;
    };
    const withForm = { ...route('limits'), payloadSchema: './form.json' };
    const nested = '{"type":"object","properties":{"limits":{"type":"object"}}}';
    expect(await checked(COMPONENT, { form: withForm }, nested)).toMatch(
      /:\d+:\d+.*no form can be made from payloadSchema, at \/properties\/limits: a form cannot show an object inside/s,
    );
    expect(await checked(COMPONENT, { form: withForm }, '{"type":')).toMatch(
      /:\d+:\d+.*"\.\/form\.json" cannot be used as a JSON Schema: Unexpected end/s,
    );
    expect(await checked(COMPONENT, { one: route('stop'), two: route('stop', 'pump-7') })).toContain(
      'another route has the command "stop" of the same contact',
    );
    expect(await checked(COMPONENT, { one: route('stop', 'a'), two: route('stop', 'b') })).toContain(': ok');
    expect(await checked(COMPONENT, { route: route('{any}') })).toContain('the name of a command is fixed');
    expect(await checked(ACCOUNT, { route: route('stop', 'pump-7') })).toContain('an account has only itself (bridge)');
    expect(await checked(ACCOUNT, { route: route('stop', 'bridge') })).toContain(': ok');
  });
});
