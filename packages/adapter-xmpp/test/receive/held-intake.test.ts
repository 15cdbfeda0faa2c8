import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../src/codec/addresses.ts';
import { entryOf, fresh } from '../../src/receive/receive-budget.ts';
import {
  admitted,
  attributeOf,
  authenticate,
  chat,
  isJoin,
  newSession,
  offerSession,
  serve,
} from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, fromRoom, manualSink, NEVER, sendText } from '../support/link.ts';

const WINDOW = 4;
const R = "<r xmlns='urn:xmpp:sm:3'/>";
const chats = (count: number): string => Array.from({ length: count }, (_, index) => chat(`${index}`)).join('');

/** A room sends back what is written in it. */
const echo = (element: string): string | undefined => {
  if (isJoin(element)) return admitted(element);
  if (!/^<message[^>]*groupchat/.test(element)) return undefined;
  return element.replace(/ to="([^"]*)"/, " from='$1/magpie'");
};

describe('while the gateway settles nothing', () => {
  it('hands over one window and goes on confirming what is sent, to a room and to a JID', async () => {
    const acknowledged: string[] = [];
    const { connection, lost } = await fakeLink(
      async (peer) => {
        await newSession(peer);
        await serve(peer, (element) => {
          if (element.startsWith('<a ')) acknowledged.push(attributeOf(element, 'h'));
          return element.includes('fill') ? `${chats(WINDOW * 6)}${R}` : echo(element);
        });
      },
      { receiveWindow: WINDOW },
    );
    const { sink, calls } = manualSink();
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY, fromRoom('ops', 'rooms.localhost')], sink);
    await sendText(connection, 'fill');
    await waitFor(() => calls.length > 0, { what: 'messages' });
    const room = ['ops', 'rooms.localhost'];
    for (const text of ['one', 'two', 'three']) {
      await expect(sendText(connection, text, 'room', room)).resolves.toEqual({ confirmedBy: 'echo' });
      await expect(sendText(connection, text)).resolves.toEqual({ confirmedBy: 'stream-ack' });
    }
    await connection.probe(NEVER);
    expect(calls.flatMap(({ texts }) => texts)).toHaveLength(WINDOW);
    const handled = Number(acknowledged.at(-1));
    for (let call = calls.shift(); call; call = calls.shift()) {
      call.answer();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await waitFor(() => Number(acknowledged.at(-1)) >= handled + WINDOW * 6, { what: 'the acknowledgement of all' });
    expect(lost).toEqual([]);
  });

  it('stops reading at the second bound, and goes on when half of it is settled', async () => {
    const flood = chats(WINDOW * 8 + 1);
    const answers: string[] = [];
    const { connection, lost } = await fakeLink(
      async (peer) => {
        await newSession(peer);
        setTimeout(() => peer.send(R), 800);
        await serve(peer, (element) => {
          if (element.startsWith('<a ')) answers.push(attributeOf(element, 'h'));
          return element.startsWith('<presence') ? flood : undefined;
        });
      },
      { receiveWindow: WINDOW },
    );
    const { sink, calls } = manualSink();
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY], sink);
    await waitFor(() => calls.length > 0, { what: 'messages' });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const before = answers.length;
    await new Promise((resolve) => setTimeout(resolve, 500)); // The server has asked meanwhile.
    expect(answers.length).toBe(before);
    const got: string[] = [];
    while (got.length < (flood.match(/<message/g)?.length ?? 0)) {
      const call = await waitFor(() => calls.shift(), { what: 'the next messages' });
      got.push(...call.texts);
      call.answer();
    }
    await waitFor(() => Number(answers.at(-1)) >= got.length, { what: 'the answer' });
    expect(lost).toEqual([]);
  });

  it('sends nothing while reading is stopped, for no confirmation could be read: a room would get it again and again', async () => {
    const written: string[] = [];
    const { connection, lost } = await fakeLink(
      async (peer) => {
        await newSession(peer);
        await serve(peer, (element) => {
          if (/^<message[^>]*groupchat/.test(element)) written.push(element);
          return element.includes('fill') ? `${chats(WINDOW * 8 + 1)}${R}` : echo(element);
        });
      },
      { receiveWindow: WINDOW, timeout: '500ms' },
    );
    const { sink, calls } = manualSink();
    const room = ['ops', 'rooms.localhost'];
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY, fromRoom('ops', 'rooms.localhost')], sink);
    await sendText(connection, 'before', 'room', room);
    const filling = sendText(connection, 'fill');
    filling.catch(() => undefined); // It is awaited below.
    await waitFor(() => calls.length > 0, { what: 'messages' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(sendText(connection, 'while stopped', 'room', room)).rejects.toMatchObject({ suspends: true });
    }
    expect(written).toHaveLength(1);
    while (calls.length > 0) {
      calls.shift()?.answer();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await filling;
    await expect(sendText(connection, 'while stopped', 'room', room)).resolves.toEqual({ confirmedBy: 'echo' });
    expect([written.length, lost]).toEqual([2, []]);
  });

  it('reads on when intake stands still: sends are confirmed, pings answered, and what was left at the server comes again', async () => {
    const room = ['ops', 'rooms.localhost'];
    const total = WINDOW * 8 + 1;
    const more = 20;
    const later = Array.from({ length: more }, (_, index) => chat(`more ${index}`)).join('');
    const resumed: string[] = [];
    let taken = 1;
    const { connection, lost } = await fakeLink(
      async (peer) => {
        if (peer.index === 0) {
          await newSession(peer);
          await serve(peer, (element) => {
            if (/^<(presence|iq|message)/.test(element)) taken++;
            if (!element.includes('fill')) return echo(element);
            setTimeout(() => peer.send(later), 2500);
            return `${chats(total)}${R}`;
          });
          return;
        }
        await authenticate(peer);
        await offerSession(peer);
        const resume = (await peer.expect(/<resume [^>]*>/)).toString();
        resumed.push(attributeOf(resume.slice(resume.indexOf('<resume')), 'h'));
        peer.send(`<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='${taken}'/>${later}`);
        await serve(peer, echo, taken);
      },
      { receiveWindow: WINDOW },
    );
    const { sink, calls } = manualSink();
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY, fromRoom('ops', 'rooms.localhost')], sink);
    await sendText(connection, 'fill');
    await waitFor(() => calls.length > 0, { what: 'messages' });
    await waitFor(() => sendText(connection, 'while held', 'room', room), { what: 'a confirmation', timeout: 10_000 });
    await connection.probe(NEVER);
    await new Promise((resolve) => setTimeout(resolve, 1000)); // The rest comes in meanwhile.
    await expect(sendText(connection, 'still held', 'room', room)).resolves.toEqual({ confirmedBy: 'echo' });
    expect(
      calls.flatMap(({ texts }) => texts),
      'no more than a window is at the sink',
    ).toHaveLength(WINDOW);
    const got: string[] = [];
    const answerAll = async (until: number): Promise<void> => {
      while (got.length < until) {
        const call = await waitFor(() => calls.shift(), { what: 'the next messages' });
        got.push(...call.texts);
        call.answer();
      }
    };
    await answerAll(total);
    await waitFor(() => lost.length === 1, { what: 'the end of the link' });
    expect(lost[0]?.message).toMatch(/left at the server/);
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY, fromRoom('ops', 'rooms.localhost')], sink);
    await answerAll(total + more);
    expect(got.slice(total)).toEqual(Array.from({ length: more }, (_, index) => `more ${index}`));
    await expect(sendText(connection, 'after', 'room', room)).resolves.toEqual({ confirmedBy: 'echo' });
    expect(resumed).toHaveLength(1);
  }, 30_000);

  it('is full of 16 MiB, however few the messages are', () => {
    const load = fresh();
    const body = new Uint8Array(4 * 1024 * 1024);
    const event = {
      address: addressOf('jid', 'a@b'),
      kind: 'message',
      body,
      headers: [],
      via: [],
      time: 0,
      origin: {},
    } as const;
    const entries = Array.from({ length: 4 }, () => entryOf(event, { finish: () => undefined }));
    const shares = entries.map((entry) => {
      load.add(entry);
      return load.share(250);
    });
    expect(shares.map((share) => share >= 1)).toEqual([false, false, false, true]);
    for (const entry of entries) load.remove(entry);
    expect(load.share(250)).toBe(0);
  });
});
