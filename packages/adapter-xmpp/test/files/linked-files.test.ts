import type { SourceRequest } from '@magpie/contract';
import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { sourceSchema } from '../../src/route-keys.ts';
import { chat, forgottenSession, newSession, serve } from '../support/fake-xmpp.ts';
import { fileHost } from '../support/file-host.ts';
import { fakeLink, manualSink, NEVER } from '../support/link.ts';

const anybody = (fetch: object | undefined): SourceRequest => ({
  pattern: { scheme: 'jid', segments: [{ type: 'one' }, { type: 'literal', value: 'localhost' }] },
  options: sourceSchema.parse({ jid: '{user}@localhost', fetch }),
});
const link = (url: string, from = 'peer'): string =>
  `<message from='${from}@localhost/x' type='chat'><body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x></message>`;

/** A connection that gets these messages. */
async function receiving(messages: readonly string[], fetch: object | undefined) {
  const made = await fakeLink(async (peer) => {
    await (peer.index === 0 ? newSession(peer) : forgottenSession(peer));
    peer.send(messages.join(''));
    await serve(peer, () => undefined);
  });
  const sink = manualSink();
  const connect = async (): Promise<void> => {
    await made.connection.connect(NEVER);
    await made.connection.receive([anybody(fetch)], sink.sink);
  };
  await connect();
  const events = () => sink.calls.flatMap((call) => call.events);
  const arrive = (count: number) =>
    waitFor(() => (events().length >= count ? events() : undefined), { what: `${count} events` });
  return { ...made, sink, connect, events, arrive };
}

const textOf = (event: { readonly body: Uint8Array } | undefined): string => Buffer.from(event?.body ?? []).toString();

describe('a message with a link to a file', () => {
  it('has the file as its body where a source fetches it, and what comes behind it waits', async () => {
    const free = Promise.withResolvers<void>();
    const host = await fileHost(async (_asked, response) => {
      await free.promise;
      response.writeHead(200, { 'content-type': 'image/png' }).end('picture');
    });
    const url = `http://127.0.0.1:${host.port}/1.png`;
    const other = chat('elsewhere').replace('peer@', 'other@');
    const { arrive, events } = await receiving([link(url), chat('behind it'), other], { allow: ['127.0.0.1'] });
    await arrive(1);
    expect(events().map(textOf)).toEqual(['elsewhere']);
    free.resolve();
    await arrive(3);
    expect(events().map(textOf)).toEqual(['elsewhere', 'picture', 'behind it']);
    expect(events()[1]).toMatchObject({ contentType: 'image/png', origin: { file: { url } } });
  });

  it('is stored with the reason when the file cannot be had', async () => {
    const host = await fileHost((_asked, response) => void response.writeHead(404).end());
    const url = `http://127.0.0.1:${host.port}/1.png`;
    const { arrive } = await receiving([link(url)], { allow: ['127.0.0.1'] });
    const [event] = await arrive(1);
    expect(textOf(event)).toBe(url);
    expect(event).toMatchObject({ contentType: 'text/plain; charset=utf-8' });
    expect(event?.origin.file).toEqual({ url, problem: 'HTTP 404' });
  });

  it.each([
    ['that nobody fetches', undefined, {}],
    ['to this machine', {}, { problem: '127.0.0.1 is not an address of the public Internet' }],
  ])('is never asked for %s', async (_title, fetch, expected) => {
    const host = await fileHost();
    const url = `http://127.0.0.1:${host.port}/1.png`;
    const { arrive } = await receiving([link(url)], fetch);
    const [event] = await arrive(1);
    expect(event?.origin.file).toEqual({ url, ...expected });
    expect(host.asked).toEqual([]);
  });

  it('comes again when the link is lost meanwhile, once', async () => {
    let times = 0;
    const never = Promise.withResolvers<void>();
    const host = await fileHost(async (_asked, response) => {
      times += 1;
      if (times === 1) await never.promise;
      else response.end('picture');
    });
    const url = `http://127.0.0.1:${host.port}/1.png`;
    const { arrive, connection, connect, events } = await receiving([link(url)], { allow: ['127.0.0.1'] });
    await waitFor(() => times === 1, { what: 'the request' });
    await connection.close(AbortSignal.abort());
    await connect();
    const isPicture = (): boolean => events().some((event) => textOf(event) === 'picture');
    await waitFor(isPicture, { what: 'the picture' });
    expect(await arrive(1)).toBeDefined();
    expect(events().filter((event) => textOf(event) !== 'picture' && event.kind === 'message')).toEqual([]);
    never.resolve();
  });
});
