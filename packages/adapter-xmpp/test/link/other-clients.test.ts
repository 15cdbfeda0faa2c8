import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { chat, newSession, refusal, serve } from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, manualSink, NEVER, textOf } from '../support/link.ts';

const PHONE = 'user@localhost/phone';
const presence = (from: string, priority: number, type = ''): string =>
  `<presence from='${from}' ${type}><priority>${priority}</priority></presence>`;
const copy = (from: string, direction: string, inner: string): string =>
  `<message from='${from}' type='chat'><${direction} xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>${inner}</forwarded></${direction}></message>`;
const command = (body: string): string =>
  `<message xmlns='jabber:client' from='boss@localhost/x' to='${PHONE}' type='chat'><body>${body}</body></message>`;

/** A connection that receives one-to-one messages; the server says this once our presence has come. */
async function receiving(text: string, keys = {}, carbons = true) {
  const written: string[] = [];
  const made = await fakeLink(async (peer) => {
    await newSession(peer);
    await serve(peer, (element) => {
      written.push(element);
      if (element.includes('urn:xmpp:carbons:2') && !carbons) return refusal(element, 'service-unavailable', 'cancel');
      return element.startsWith('<presence') ? `${text}${chat('end')}` : undefined;
    });
  }, keys);
  const { sink, calls } = manualSink();
  await made.connection.connect(NEVER);
  await made.connection.receive([FROM_ANYBODY], sink);
  const events = () => calls.flatMap((call) => call.events);
  await waitFor(() => events().some((event) => textOf(event) === 'end'), { what: 'the last message' });
  return { ...made, written, events, status: () => made.details.get('one-to-one messages') };
}

describe('another client of our account', () => {
  it('that takes the one-to-one messages shows in the status, until it is gone', async () => {
    const { status } = await receiving(presence(PHONE, 10));
    await waitFor(() => status()?.includes('copies'), { what: 'the copies' });
    expect(status()).toBe(
      'the client "phone" of our account (priority 10, ours 1) takes one-to-one messages: we get copies, which run no command; raise priority, or log that client out',
    );
    const gone = await receiving(presence(PHONE, 10) + presence(PHONE, 0, "type='unavailable'"));
    expect(gone.status()).toBeUndefined();
  });

  it('that the server makes no copies of shows in the status', async () => {
    const { status } = await receiving(presence(PHONE, 10), {}, false);
    expect(status()).toContain('takes one-to-one messages: we do not get them');
  });

  it.each([
    ['a lower priority', presence(PHONE, 0), {}],
    ['a negative priority', presence(PHONE, -1), { priority: 0 }],
    ['a priority below ours', presence(PHONE, 10), { priority: 100 }],
    ['another account', presence('boss@localhost/phone', 10), {}],
  ])('takes nothing with %s', async (_, text, keys) => {
    const { status, written } = await receiving(text, keys);
    expect(status()).toBeUndefined();
    const priority = 'priority' in keys ? keys.priority : 1;
    expect(written.join('')).toContain(`<priority>${priority}</priority>`);
  });
});

describe('a copy of a message', () => {
  it('is an event that runs no command, from our own account only', async () => {
    const { events, written } = await receiving(
      [
        copy('user@localhost', 'received', command('!on')),
        copy('user@localhost', 'sent', command('!sent')),
        copy('mallory@localhost/x', 'received', command('!forged')),
        copy('mallory@localhost', 'received', command('!forged')),
        copy(PHONE, 'received', command('!forged')),
      ].join(''),
    );
    expect(written.join('')).toContain('<enable xmlns="urn:xmpp:carbons:2"/>');
    expect(events().map((event) => [textOf(event), event.origin.copied])).toEqual([
      ['!on', true],
      ['end', undefined],
    ]);
    expect(events()[0]).toMatchObject({ address: { scheme: 'jid', segments: ['boss', 'localhost'] } });
  });
});
