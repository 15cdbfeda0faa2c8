import { randomBytes } from 'node:crypto';
import type { Connection, ConnectionStore, OutgoingEvent } from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { forgottenSession, newSession, refusal, serve } from '../support/fake-xmpp.ts';
import { fileHost, slotOn, uploadService } from '../support/file-host.ts';
import { fakeLink, manualSink, NEVER } from '../support/link.ts';

const BYTES = randomBytes(20_000);

/** A connection to a server with an upload service. */
async function uploading(
  slot: (request: string) => string,
  { limit, store, refuse }: { limit?: number; store?: ConnectionStore; refuse?: boolean } = {},
) {
  const written: string[] = [];
  const slots: string[] = [];
  const made = await fakeLink(
    async (peer) => {
      await (peer.index === 0 ? newSession(peer) : forgottenSession(peer));
      await serve(peer, (element) => {
        if (element.startsWith('<iq'))
          return uploadService(
            element,
            (request) => {
              slots.push(request);
              return slot(request);
            },
            limit,
          );
        if (!element.startsWith('<message')) return undefined;
        written.push(element);
        return refuse ? refusal(element, 'resource-constraint', 'wait') : '';
      });
    },
    {},
    store,
  );
  await made.connection.connect(NEVER);
  await made.connection.receive([], manualSink().sink);
  return { ...made, written, slots };
}

const send = (
  connection: Connection,
  event: Partial<OutgoingEvent> = {},
  options: object = {},
  to = 'peer',
): Promise<string> => {
  const name = event.delivery ?? 'delivery-1';
  const whole: OutgoingEvent = {
    ...{ id: name, ref: name, delivery: name, body: BYTES, headers: [], via: [], time: 0, redelivered: false },
    ...event,
  };
  return connection.send(whole, { address: { scheme: 'jid', segments: [to, 'localhost'] }, options }, NEVER).then(
    () => 'sent',
    (error: Error) => `${error.name}: ${error.message}`,
  );
};

describe('a body that goes as a file', () => {
  it('is put where the service says, and the message is its link with what is known of it', async () => {
    const host = await fileHost();
    const { connection, written, slots } = await uploading((request) => slotOn(host.port, request, 'a/gate.jpg'));
    const event = { contentType: 'image/jpeg', headers: [['filename', '../gate "1".jpg']] as const, subject: 'gate' };
    expect(await send(connection, event)).toBe('sent');
    expect(host.asked).toMatchObject([
      { method: 'PUT', headers: { authorization: 'Bearer tX-Evil: 1', 'content-type': 'image/jpeg' } },
    ]);
    expect(host.asked[0]?.headers).not.toHaveProperty('x-evil');
    expect(host.asked[0]?.headers.host).toBe(`127.0.0.1:${host.port}`);
    expect(host.asked[0]?.body.equals(BYTES)).toBe(true);
    expect(slots[0]).toContain('filename="gate _1_.jpg" size="20000" content-type="image/jpeg"');
    const url = `http://127.0.0.1:${host.port}/a/gate.jpg`;
    expect(written[0]).toContain(`<body>${url}</body>`);
    expect(written[0]).toContain(`<x xmlns="jabber:x:oob"><url>${url}</url></x>`);
    expect(written[0]).toContain('<media-type>image/jpeg</media-type><name>gate _1_.jpg</name><size>20000</size>');
    expect(written[0]).toContain('<content-type>text/plain; charset=utf-8</content-type>');
    expect(written[0]).not.toContain('<payload');
  });

  it.each([
    [{ contentType: 'image/png', body: randomBytes(10) }, {}, true],
    [{ contentType: 'application/octet-stream', body: randomBytes(1_000) }, {}, false],
    [{ contentType: 'application/octet-stream', body: randomBytes(9_000) }, {}, true],
    [{ contentType: 'text/plain', body: Buffer.alloc(50_000, 'a') }, {}, false],
    [{ contentType: 'text/plain', body: Buffer.alloc(300_000, 'a') }, {}, true],
    [{ contentType: 'text/plain', body: Buffer.from('a') }, { upload: 'always' }, true],
    [{ contentType: 'image/png', body: randomBytes(10) }, { upload: 'never' }, false],
  ])('is one by its type, its size or the route: %#', async (event, options, isFile) => {
    const host = await fileHost();
    const { connection, written } = await uploading((request) => slotOn(host.port, request, 'f'));
    expect(await send(connection, event, options)).toBe('sent');
    expect(written[0]?.includes('jabber:x:oob')).toBe(isFile);
    expect(host.asked).toHaveLength(isFile ? 1 : 0);
  });

  it('is uploaded once, however often its message is sent, also by a process after this one', async () => {
    const host = await fileHost();
    const store = memoryStore();
    const slot = (request: string): string => slotOn(host.port, request, 'f');
    const first = await uploading(slot, { store, refuse: true });
    expect(await send(first.connection)).toMatch(/^Throttled/);
    expect(await send(first.connection)).toMatch(/^Throttled/);
    const second = await uploading(slot, { store });
    expect(await send(second.connection)).toBe('sent');
    expect(second.written[0]).toContain(`<body>http://127.0.0.1:${host.port}/f</body>`);
    expect(host.asked).toHaveLength(1);
    expect([...(await store.entries()).keys()]).toEqual([]);
  });

  it('lets what follows to the same place wait, and nothing else', async () => {
    const free = Promise.withResolvers<void>();
    const host = await fileHost(async (_asked, response) => {
      await free.promise;
      response.writeHead(201).end();
    });
    const { connection, written } = await uploading((request) => slotOn(host.port, request, 'f'));
    const file = send(connection);
    const after = send(connection, { delivery: 'delivery-2', body: Buffer.from('behind it') });
    const other = send(connection, { delivery: 'delivery-3', body: Buffer.from('elsewhere') }, {}, 'other');
    expect(await other).toBe('sent');
    expect(written).toHaveLength(1);
    free.resolve();
    expect(await Promise.all([file, after])).toEqual(['sent', 'sent']);
    expect(written.map((each) => /id="([^"]*)"/.exec(each)?.[1])).toEqual(['delivery-3', 'delivery-1', 'delivery-2']);
  });
});

describe('a file that the service does not take', () => {
  const quota = (request: string): string => refusal(request, 'resource-constraint', 'wait');

  it('is too large by the limit that the service states', async () => {
    const { connection, slots } = await uploading(() => '', { limit: 19_999 });
    expect(await send(connection)).toMatch(
      /^TooLarge: a file of 20000 bytes, more than the upload service takes \(19999\)/,
    );
    expect(slots).toEqual([]);
  });

  it('waits while a quota is used up', async () => {
    const { connection, written } = await uploading(quota);
    expect(await send(connection)).toMatch(/^Throttled: the upload service answered resource-constraint/);
    expect(written).toEqual([]);
  });

  it.each([
    [413, /^TooLarge: .*HTTP 413/],
    [503, /^Throttled: .*HTTP 503/],
    [403, /^Transient: .*HTTP 403/],
    [302, /^Transient: .*HTTP 302/],
  ])('is an error by the answer to the upload: %s', async (status, expected) => {
    const host = await fileHost((_asked, response) => void response.writeHead(status, { location: '/else' }).end());
    const { connection, written } = await uploading((request) => slotOn(host.port, request, 'f'));
    expect(await send(connection)).toMatch(expected);
    expect(host.asked).toHaveLength(1);
    expect(written).toEqual([]);
  });

  it.each(['forbidden', 'service-unavailable'])('stays in the message when we may not: %s', async (condition) => {
    const { connection, written } = await uploading((request) => refusal(request, condition, 'cancel'));
    expect(await send(connection)).toBe('sent');
    expect(written[0]).toContain(BYTES.toString('base64'));
    expect(await send(connection, { delivery: 'delivery-2', body: randomBytes(250_000) })).toMatch(
      /^TooLarge: a stanza of .*it cannot go as a file: the upload service answered/,
    );
  });
});
