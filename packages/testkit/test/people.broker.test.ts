import { createAccount } from '@magpie/brokers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type People, type Person, startPeople, unique, useSharedBrokers } from '../src/index.ts';

const shared = useSharedBrokers('prosody', 'ejabberd');
let people: People;
beforeAll(async () => {
  people = await startPeople();
});
afterAll(() => people.close());

describe.each(['prosody', 'ejabberd'] as const)('people on %s', (name) => {
  let ann: Person;
  let ben: Person;
  beforeAll(async () => {
    const server = shared[name];
    const enter = async (who: string, options: { readonly accept?: boolean; readonly managed?: boolean }) => {
      const account = unique(who);
      await createAccount(server, account, `${account}-secret`);
      return people.login(server, account, options);
    };
    ann = await enter('ann', { managed: true });
    ben = await enter('ben', { accept: true });
  });

  const bare = ({ jid }: Person): string => jid.split('/')[0] ?? '';

  it('are refused with a wrong password', async () => {
    const login = people.login(shared[name], 'alice', { password: 'wrong' });
    await expect(login).rejects.toMatchObject({ name: 'PersonError', message: expect.stringContaining('auth') });
  });

  it('talk to each other and get receipts', async () => {
    const id = await ann.say(bare(ben), 'Grüße 👋', { receipt: true, thread: 't-1' });
    const got = await ben.message((message) => message.id === id);
    expect(got).toMatchObject({ body: 'Grüße 👋', from: ann.jid, thread: 't-1', type: 'chat', wantsReceipt: true });
    await ann.message(({ receipt }) => receipt === id);
  });

  it('become contacts and see presence', async () => {
    await ann.subscribe(bare(ben));
    await ann.presence(({ type, from }) => type === 'subscribe' && from === bare(ben));
    await ann.show({ to: bare(ben), type: 'subscribed' });
    await ben.show({ show: 'dnd', status: 'in a meeting' });
    await ann.presence(({ from, show, status }) => from === ben.jid && show === 'dnd' && status === 'in a meeting');
    expect(await ann.roster()).toMatchObject([{ jid: bare(ben), subscription: 'both' }]);
  });

  it('meet in a room for members only', async () => {
    const room = `${unique('room')}@${shared[name].rooms}`;
    const made = await ann.join(room, 'ann', { configure: { 'muc#roomconfig_membersonly': true } });
    expect(made).toMatchObject({ nick: 'ann', created: true });
    await expect(ben.join(room, 'ben')).rejects.toMatchObject({ condition: 'registration-required' });
    await ann.affiliate(room, bare(ben), 'member');
    expect(await ben.join(room, 'ben')).toMatchObject({ created: false, occupants: expect.arrayContaining(['ann']) });
    await ann.presence(({ from, occupant }) => from === `${room}/ben` && occupant?.affiliation === 'member');
    await ben.sayIn(room, 'here');
    await ann.message(({ from, body }) => from === `${room}/ben` && body === 'here');
    await ben.leave(room);
    await ann.presence(({ from, type }) => from === `${room}/ben` && type === 'unavailable');
  });

  it('read their archives page by page', async () => {
    const bodies = ['one', 'two', 'three'];
    for (const body of bodies) await ann.say(bare(ben), `archived ${body}`);
    await ben.message(({ body }) => body === 'archived three');
    const newest = await ben.archive({ with: bare(ann), last: true, max: 2 });
    expect(newest.messages.map(({ body }) => body)).toEqual(['archived two', 'archived three']);
    const [first] = newest.messages;
    const next = await ben.archive({ after: first?.archiveId ?? '', max: 5 });
    expect(next).toMatchObject({ complete: true, messages: [{ body: 'archived three' }] });
  });

  it('upload files', async () => {
    const content = Buffer.from('a picture');
    const { get, status } = await ann.upload(shared[name].uploads, { name: 'a.png', type: 'image/png', content });
    expect(status).toBe(201);
    expect(await (await fetch(get)).text()).toBe('a picture');
  });

  it('ask what there is, and are told what is refused', async () => {
    expect((await ann.disco(bare(ann))).features).toContain('urn:xmpp:mam:2');
    expect((await ann.items('localhost')).map(({ jid }) => jid)).toContain(shared[name].rooms);
    await expect(ann.command('localhost', 'no-such-command')).rejects.toMatchObject({
      name: 'PersonError',
      type: 'cancel',
    });
    await ann.ping('localhost');
    expect(await ann.iq('get', "<query xmlns='jabber:iq:roster'/>")).toContain(bare(ben));
  });

  it('take up a session whose connection was cut', async () => {
    await ann.cut();
    const id = await ben.say(bare(ann), 'while you were away');
    expect(await ann.reconnect()).toEqual({ resumed: true });
    await ann.message((message) => message.id === id);
  });
});
