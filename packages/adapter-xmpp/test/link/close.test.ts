import { expect, it } from 'vitest';
import { chat, newSession, refuseCopies } from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, manualSink, NEVER } from '../support/link.ts';

const FOOTER = '</stream:stream>';

it('keeps the socket open until the server has closed the stream: it puts away what is unfinished before', async () => {
  const steps: string[] = [];
  const { connection } = await fakeLink(async (peer) => {
    await newSession(peer, chat('one'));
    await refuseCopies(peer);
    await peer.expect(FOOTER);
    // What is still on its way must not stop anything.
    peer.send(chat('two'));
    await expect(peer.expect('anything', 100)).rejects.toThrow('nothing matched');
    steps.push('the server closes the stream');
    peer.send(FOOTER);
    await expect(peer.expect('anything')).rejects.toThrow('the client closed the connection');
  });
  const { sink, calls } = manualSink();
  await connection.connect(NEVER);
  await connection.receive([FROM_ANYBODY], sink);
  await connection.close(NEVER);
  steps.push('closed');
  expect(steps).toEqual(['the server closes the stream', 'closed']);
  expect(calls.flatMap(({ texts }) => texts)).not.toContain('two');
});

it('waits no longer than its time for a server that does not close the stream', async () => {
  const { connection } = await fakeLink(
    async (peer) => {
      await newSession(peer);
      await peer.expect(FOOTER);
    },
    { timeout: '1s' },
  );
  await connection.connect(NEVER);
  await connection.receive([], manualSink().sink);
  await connection.close(NEVER);
});
