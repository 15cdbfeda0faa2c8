import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nullLogger } from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { capsHash, capsNode } from '../../src/codec/stanza/caps.ts';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { connectionSchema } from '../../src/config.ts';
import { CAPABILITIES } from '../../src/contacts/capabilities.ts';
import { type CardRule, createCardFinder } from '../../src/contacts/card-patterns.ts';
import { Cards } from '../../src/contacts/cards.ts';
import { Contacts } from '../../src/contacts/contacts.ts';

const PNG = Buffer.from('89504e470d0a1a0a00', 'hex');
const SHA1 = 'c358171d305bac52b72253f482afb59489728a17';

function picture(content: Buffer = PNG): string {
  const folder = mkdtempSync(join(tmpdir(), 'magpie-card-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'pump.png'), content);
  return join(folder, 'pump.png');
}

/** Contacts of `devices.example.org` with these cards, and what they have sent. */
async function contactsWith(rules: readonly CardRule[]) {
  const sent: string[] = [];
  const details = new Map<string, string | undefined>();
  const cards = new Cards(rules, { detail: (part, state) => void details.set(part, state) });
  const clock = { now: () => 0, monotonic: () => 0, timeout: () => () => undefined };
  const contacts = new Contacts({
    domain: 'devices.example.org',
    context: { clock, store: memoryStore(), logger: nullLogger },
    mayFollow: () => true,
    commandsFor: () => [],
    cards,
    post: (stanza: Element) => void sent.push(stanza.toString()),
  });
  await Promise.all([contacts.load(), cards.load()]);
  await contacts.set('pump-7', { available: true });
  const ask = (child: Element): string =>
    String(
      contacts.answer(
        xml('iq', { type: 'get', id: '1', from: 'alice@example.org/x', to: 'pump-7@devices.example.org' }, child),
      ),
    );
  return { contacts, sent, ask, details };
}

const pubsub = (node: string): Element => xml('pubsub', { xmlns: NS.pubsub }, xml('items', { node }));

describe('the cards of contacts', () => {
  it('are found by pattern, the first that fits', () => {
    const find = createCardFinder([
      { contact: 'pump-{number}', name: 'Pump {number}', groups: ['Plant', 'No. {number}'] },
      { contact: '{kind}.{place}', name: '{kind} in {place}', groups: [] },
    ]);
    expect(find('pump-7')).toMatchObject({ name: 'Pump 7', groups: ['Plant', 'No. 7'] });
    expect(find('fan.hall')).toMatchObject({ name: 'fan in hall', groups: [] });
    expect(find('pump-')).toMatchObject({ name: 'pump-', groups: [] });
    expect(find('xpump-7'), 'the whole name').toMatchObject({ name: 'xpump-7' });
  });

  it.each([
    [{ contact: '{a}-{a}' }, 'has {a} twice'],
    [{ contact: 'pump-{number}', name: 'Pump {nr}' }, '"{nr}" is no capture of "pump-{number}"'],
    [{ contact: 'pump-{number' }, 'expected each capture as {name}'],
  ])('are refused where they make no sense: %j', (card, message) => {
    const keys = { mode: 'component', domain: 'd', secret: 's', url: 'xmpp://127.0.0.1:1' };
    const parsed = connectionSchema.safeParse({ ...keys, contacts: { cards: [card] } });
    expect(parsed.error?.issues.map((issue) => issue.message).join()).toContain(message);
    const account = connectionSchema.safeParse({ jid: 'a@b', password: 'x', contacts: { cards: [{ contact: 'a' }] } });
    expect(account.error?.issues[0]?.message).toContain('no meaning with mode: client');
  });

  it('have a name and a picture, which presence and XEP-0084 tell of as well', async () => {
    const rule = { contact: 'pump-{number}', name: 'Pump {number} <&>', groups: [], photo: picture() };
    const { contacts, sent, ask } = await contactsWith([rule]);
    const card = ask(xml('vCard', { xmlns: NS.vcard }));
    expect(card).toContain('<FN>Pump 7 &lt;&amp;&gt;</FN><NICKNAME>');
    expect(card).toContain(`<PHOTO><TYPE>image/png</TYPE><BINVAL>${PNG.toString('base64')}</BINVAL></PHOTO>`);
    expect(ask(pubsub(NS.avatarMetadata))).toContain(`<info id="${SHA1}" type="image/png" bytes="9"/>`);
    expect(ask(pubsub(NS.avatarData))).toContain(PNG.toString('base64'));
    expect(ask(pubsub('other'))).toContain('item-not-found');
    contacts.take(xml('presence', { from: 'alice@example.org', to: 'pump-7@devices.example.org', type: 'subscribe' }));
    await vi.waitFor(() => expect(sent).toHaveLength(3));
    expect(sent[1]).toContain(`<x xmlns="vcard-temp:x:update"><photo>${SHA1}</photo></x>`);
    expect(sent[1]).toContain(`<c xmlns="${NS.caps}" hash="sha-1" node="urn:magpie" ver="`);
    expect(sent[2]).toContain(`type="subscribe"><nick xmlns="${NS.nick}">Pump 7 &lt;&amp;&gt;</nick>`);
  });

  it('propose name and groups once, and say nothing of them where there are none', async () => {
    const { contacts, sent } = await contactsWith([{ contact: 'pump-{n}', name: 'Pump {n}', groups: ['Plant'] }]);
    const from = 'alice@example.org';
    contacts.take(xml('presence', { from, to: 'pump-7@devices.example.org', type: 'subscribe' }));
    await vi.waitFor(() => expect(sent).toHaveLength(4));
    expect(sent[3]).toContain(
      '<item action="add" jid="pump-7@devices.example.org" name="Pump 7"><group>Plant</group></item>',
    );
    contacts.take(xml('presence', { from, to: 'pump-7@devices.example.org', type: 'subscribe' }));
    await vi.waitFor(() => expect(sent).toHaveLength(6));
    expect(sent.filter((each) => each.includes('<message'))).toHaveLength(1);
    expect(sent[1], 'no picture').toContain('<x xmlns="vcard-temp:x:update"><photo/></x>');
  });

  it.each([
    ['too large', Buffer.concat([PNG, Buffer.alloc(128 * 1024)]), 'at most 128 KiB'],
    ['none', Buffer.from('<svg/>'), 'PNG, JPEG, GIF or WebP'],
  ])('go without a picture that is %s, and the details say so', async (_, content, message) => {
    const photo = picture(content);
    const { ask, details } = await contactsWith([{ contact: '{device}', groups: [], photo }]);
    expect(details.get(`photo ${photo}`)).toContain(message);
    expect(ask(xml('vCard', { xmlns: NS.vcard }))).not.toContain('PHOTO');
    expect(ask(pubsub(NS.avatarMetadata))).toContain('item-not-found');
  });
});

describe('capabilities (XEP-0115)', () => {
  it('have the hash of the example in the specification', () => {
    const exodus = {
      ...{ category: 'client', type: 'pc', name: 'Exodus 0.9.1' },
      features: [NS.caps, NS.discoItems, NS.discoInfo, NS.muc],
    };
    expect(capsHash(exodus)).toBe('QgayPKawpkPSDYmwT/WM94uAlu0=');
  });

  it('are what the contact answers under their node, and nothing under another', async () => {
    const { ask } = await contactsWith([]);
    const node = capsNode(CAPABILITIES.contact);
    const info = (asked: string): string => ask(xml('query', { xmlns: NS.discoInfo, node: asked }));
    expect(info(node)).toContain(`node="${node}"><identity category="client" type="bot" name="Magpie"/>`);
    for (const feature of CAPABILITIES.contact.features) expect(info(node)).toContain(`<feature var="${feature}"/>`);
    expect(info('urn:magpie#other')).toContain('item-not-found');
  });
});
