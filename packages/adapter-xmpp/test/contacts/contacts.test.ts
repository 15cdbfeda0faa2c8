import { nullLogger } from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { describe, expect, it, vi } from 'vitest';
import { capsElement } from '../../src/codec/stanza/caps.ts';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { CAPABILITIES } from '../../src/contacts/capabilities.ts';
import { Cards } from '../../src/contacts/cards.ts';
import { Contacts } from '../../src/contacts/contacts.ts';

const ALICE = 'alice@example.org';
/** What a contact can do, and that it has no picture. */
const WHO = `${capsElement(CAPABILITIES.contact)}<x xmlns="vcard-temp:x:update"><photo/></x>`;

/** Contacts of `devices.example.org`, and what they have sent. */
async function contactsOf(store = memoryStore()) {
  const sent: string[] = [];
  const timers: (() => void)[] = [];
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    timeout: (_: number, call: () => void) => {
      timers.push(call);
      return () => undefined;
    },
  };
  const post = (stanza: Element): void => void sent.push(stanza.toString());
  const contacts = new Contacts({
    domain: 'devices.example.org',
    context: { clock, store, logger: nullLogger },
    mayFollow: (person) => person.endsWith('@example.org'),
    commandsFor: () => [],
    cards: new Cards([], { detail: () => undefined }),
    post,
  });
  await contacts.load();
  const pauseOver = (): void => {
    for (const call of timers.splice(0)) call();
  };
  return { contacts, sent, store, pauseOver };
}

const presence = (from: string, to: string, type?: string): Element =>
  xml('presence', { from, to, ...(type === undefined ? {} : { type }) });

const follow = async (site: Awaited<ReturnType<typeof contactsOf>>, local: string, person = ALICE): Promise<void> => {
  site.contacts.take(presence(person, `${local}@devices.example.org`, 'subscribe'));
  await vi.waitFor(() => expect(site.sent.join()).toContain('subscribed'));
};

describe('the contacts of a component', () => {
  it('are sent to permitted followers only', async () => {
    const site = await contactsOf();
    await site.contacts.set('Pump 7', { available: true, status: 'running' });
    expect(site.sent).toEqual([]);
    await follow(site, 'pump\\207');
    await vi.waitFor(() => expect(site.sent).toHaveLength(3));
    expect(site.sent).toEqual([
      '<presence from="pump\\207@devices.example.org" to="alice@example.org" type="subscribed"/>',
      `<presence from="pump\\207@devices.example.org/magpie" to="alice@example.org"><status>running</status>${WHO}</presence>`,
      '<presence from="pump\\207@devices.example.org" to="alice@example.org" type="subscribe"><nick xmlns="http://jabber.org/protocol/nick">Pump 7</nick></presence>',
    ]);
    site.contacts.take(presence('mallory@elsewhere', 'pump\\207@devices.example.org', 'subscribe'));
    site.contacts.take(presence('mallory@elsewhere/x', 'pump\\207@devices.example.org', 'probe'));
    await vi.waitFor(() => expect(site.sent).toHaveLength(4));
    expect(site.sent[3]).toContain('type="unsubscribed"');
    site.contacts.take(presence(`${ALICE}/phone`, 'pump\\207@devices.example.org', 'probe'));
    await vi.waitFor(() => expect(site.sent).toHaveLength(5));
    expect(site.sent[4]).toContain('to="alice@example.org/phone"');
  });

  it('cannot be followed before they exist', async () => {
    const site = await contactsOf();
    site.contacts.take(presence(ALICE, 'ghost@devices.example.org', 'subscribe'));
    await vi.waitFor(() => expect(site.sent).toHaveLength(1));
    expect(site.sent[0]).toContain('type="unsubscribed"');
  });

  it('are the same for the next process', async () => {
    const first = await contactsOf();
    await first.contacts.set('Pump 7', { available: true, show: 'away' });
    await follow(first, 'pump\\207');
    await follow(first, 'pump\\207', 'bob@example.org');
    await vi.waitFor(() => expect(first.sent.join()).toContain('to="bob@example.org" type="subscribe"'));
    first.contacts.take(presence('bob@example.org', 'pump\\207@devices.example.org', 'unsubscribe'));
    await vi.waitFor(() => expect(first.sent.join()).toContain('to="bob@example.org" type="unsubscribed"'));
    const second = await contactsOf(first.store);
    second.contacts.tellAll();
    expect(second.sent).toEqual([
      `<presence from="pump\\207@devices.example.org/magpie" to="alice@example.org"><show>away</show>${WHO}</presence>`,
      '<presence from="pump\\207@devices.example.org" to="alice@example.org" type="probe"/>',
    ]);
    second.contacts.sayGoodbye();
    expect(second.sent[2]).toContain('type="unavailable"');
  });

  it('reach nobody faster than a hundred at a time', async () => {
    const site = await contactsOf();
    for (let index = 0; index < 250; index++) await site.contacts.set(`d${index}`, { available: true });
    for (let index = 0; index < 250; index++) await follow(site, `d${index}`);
    await follow(site, 'd0', 'bob@example.org');
    await vi.waitFor(() => expect(site.sent.join()).toContain('to="bob@example.org" type="subscribe"'));
    site.pauseOver();
    site.pauseOver();
    site.pauseOver();
    site.pauseOver();
    site.sent.length = 0;
    site.contacts.tellAll();
    const to = (person: string): number =>
      site.sent.filter((each) => each.includes(`to="${person}"`) && !each.includes('type="probe"')).length;
    expect([to(ALICE), to('bob@example.org')]).toEqual([100, 1]);
    site.pauseOver();
    expect(to(ALICE)).toBe(200);
    await site.contacts.set('d249', { available: false });
    site.pauseOver();
    expect(to(ALICE)).toBe(251);
    const last = site.sent.filter((each) => each.includes('from="d249@'));
    expect(
      last.every((each) => each.includes('unavailable')),
      'what is sent is true when it is sent',
    ).toBe(true);
  });

  it('say what they are, and that an unknown one does not exist', async () => {
    const site = await contactsOf();
    await site.contacts.set('Pump 7', { available: true });
    const ask = (to: string, child: Element): string =>
      String(site.contacts.answer(xml('iq', { type: 'get', id: '1', from: `${ALICE}/x`, to }, child)) ?? '');
    expect(ask('pump\\207@devices.example.org', xml('vCard', { xmlns: NS.vcard }))).toContain('<FN>Pump 7</FN>');
    expect(ask('devices.example.org', xml('query', { xmlns: NS.discoInfo }))).toContain('category="component"');
    expect(ask('ghost@devices.example.org', xml('vCard', { xmlns: NS.vcard }))).toContain('item-not-found');
    expect(ask('pump\\207@devices.example.org', xml('query', { xmlns: NS.discoInfo, node: 'x' }))).toContain(
      'item-not-found',
    );
    expect(ask('pump\\207@elsewhere', xml('vCard', { xmlns: NS.vcard }))).toBe('');
  });
});
