import { waitFor } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { answerDisco, authenticate, bind, chat, ENABLED, newSession, offerSession } from '../support/fake-xmpp.ts';
import { FROM_ANYBODY, fakeLink, manualSink, NEVER, sendText } from '../support/link.ts';

const R = "<r xmlns='urn:xmpp:sm:3'/>";
const FORGOTTEN =
  "<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";

describe('acknowledging what was received', () => {
  it('reports only what is finished, without gaps, and only from <enabled/> on', async () => {
    const answers: string[] = [];
    const step = Promise.withResolvers<void>();
    const { connection } = await fakeLink(async (peer) => {
      await authenticate(peer);
      await offerSession(peer);
      await bind(peer);
      peer.send(`${chat('before')}${ENABLED}${chat('one')}${R}`);
      answers.push((await peer.expect(/<a [^>]*>/)).toString());
      await answerDisco(peer);
      await step.promise;
      peer.send(R);
      answers.push((await peer.expect(/<a [^>]*h="2"[^>]*>/)).toString());
    });
    const { sink, calls } = manualSink();
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY], sink);
    await waitFor(() => calls.length > 0, { what: 'a message reaches the sink' });
    expect(answers[0]).toContain('h="0"');
    for (const call of calls) call.answer();
    step.resolve();
    await waitFor(() => answers.length === 2, { what: 'the finished stanzas are reported' });
  });

  it('drops the link and reports nothing when the log cannot store a message', async () => {
    const { connection, lost } = await fakeLink((peer) => newSession(peer, chat('one')));
    const { sink, calls } = manualSink();
    await connection.connect(NEVER);
    await connection.receive([FROM_ANYBODY], sink);
    await waitFor(() => calls.length > 0, { what: 'the message reaches the sink' });
    calls[0]?.answer({ type: 'unavailable', reason: 'disk full' });
    await waitFor(() => lost.length > 0, { what: 'the link is dropped' });
    expect(lost[0]?.message).toContain('disk full');
  });
});

describe('resuming', () => {
  it('resumes with what was finished, says Unknown for the rest, and sends nothing twice that has arrived', async () => {
    const seen: string[] = [];
    const { connection, lost } = await fakeLink(async (peer) => {
      if (peer.index === 0) {
        await newSession(peer);
        await peer.expect('two</body>');
        await peer.expect('</message>');
        peer.reset();
        return;
      }
      await authenticate(peer);
      await offerSession(peer);
      seen.push((await peer.expect(/<resume [^>]*>/)).toString());
      // The server has taken the disco question, the presence and the first of two messages.
      peer.send("<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='3'/>");
      const bytes = await peer.expect('<body>two</body>');
      seen.push(bytes.toString());
      peer.send("<a xmlns='urn:xmpp:sm:3' h='5'/>");
    });
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    const outcomes = await Promise.allSettled([sendText(connection, 'one'), sendText(connection, 'two')]);
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.name)).toEqual([
      'Unknown',
      'Unknown',
    ]);
    expect(lost).toHaveLength(1);
    await connection.connect(NEVER);
    await connection.receive([], manualSink().sink);
    expect(await Promise.all([sendText(connection, 'one'), sendText(connection, 'two')])).toHaveLength(2);
    expect(seen[0]).toContain('previd="session-1"');
    expect(seen[1]).not.toContain('one</body>');
  });

  it('starts a new session when the server has forgotten the old one', async () => {
    const { connection, lost, details } = await fakeLink(async (peer) => {
      if (peer.index === 0) {
        await newSession(peer);
        peer.reset();
        return;
      }
      await authenticate(peer);
      await offerSession(peer);
      await peer.expect(/<resume [^>]*>/);
      peer.send(FORGOTTEN);
      await bind(peer);
      peer.send(ENABLED);
      await answerDisco(peer);
    });
    await connection.connect(NEVER);
    await waitFor(() => lost.length > 0, { what: 'the link is lost' });
    await connection.connect(NEVER);
    expect(details.get('session')).toMatch(/^new as/);
  });

  it('says that messages may be missing, until that is stored, once a session was not resumed', {
    timeout: 20_000,
  }, async () => {
    const { connection, lost } = await fakeLink(async (peer) => {
      if (peer.index === 0) await newSession(peer);
      else {
        await authenticate(peer);
        await offerSession(peer);
        await peer.expect(/<resume [^>]*>/);
        peer.send(peer.index === 1 ? FORGOTTEN : "<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='0'/>");
      }
      if (peer.index === 1) {
        await bind(peer);
        peer.send(ENABLED);
        await answerDisco(peer);
      }
      await peer.expect('<priority>');
      setTimeout(() => peer.reset(), 100);
    });
    const kinds: (string | undefined)[] = [];
    for (let link = 0; link < 4; link++) {
      const { sink, calls } = manualSink();
      await connection.connect(NEVER);
      await connection.receive([FROM_ANYBODY], sink);
      const event = calls[0]?.events[0];
      kinds.push(event && `${event.kind} ${event.type}`);
      if (link === 2) calls[0]?.answer();
      await waitFor(() => lost.length > link, { what: 'the lost link' });
    }
    expect(kinds).toEqual([undefined, 'status possible-gap', 'status possible-gap', undefined]);
  });

  it('resumes after the supervisor has cut the link, but not what the server then leaves unread', async () => {
    const resumed: string[] = [];
    const { connection, details } = await fakeLink(async (peer) => {
      if (peer.index !== 1) return newSession(peer);
      await authenticate(peer);
      await offerSession(peer);
      resumed.push((await peer.expect(/<resume [^>]*>/)).toString());
      peer.send("<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='0'/>");
    });
    await connection.connect(NEVER);
    await connection.close(AbortSignal.abort());
    await connection.connect(NEVER);
    expect(resumed).toHaveLength(1);
    await connection.close(AbortSignal.abort());
    await connection.connect(NEVER);
    expect(details.get('session')).toMatch(/^new as/);
  });
});

describe('a server that counts wrong', () => {
  it('loses the link when it acknowledges more than was sent', async () => {
    const { connection } = await fakeLink((peer) => newSession(peer, "<a xmlns='urn:xmpp:sm:3' h='99'/>"));
    await expect(connection.connect(NEVER)).rejects.toMatchObject({
      message: expect.stringContaining('acknowledged 99'),
    });
    await expect(sendText(connection, 'x')).rejects.toMatchObject({ name: 'NotConnected' });
  });

  it('loses the link when it stops acknowledging', async () => {
    const { connection, lost } = await fakeLink((peer) => newSession(peer), { timeout: '300ms' });
    await connection.connect(NEVER);
    await expect(sendText(connection, 'x')).rejects.toMatchObject({ name: 'Unknown' });
    expect(lost[0]?.message).toContain('has not acknowledged');
  });

  it('starts a new session when it acknowledges nothing of one that it has resumed', async () => {
    const attempts: string[] = [];
    const { connection } = await fakeLink(
      async (peer) => {
        if (peer.index === 0) {
          await newSession(peer);
          peer.reset();
          return;
        }
        await authenticate(peer);
        await offerSession(peer);
        attempts.push((await peer.expect(/<(resume|iq) [^>]*>/)).toString());
        if (peer.index === 1) peer.send("<resumed xmlns='urn:xmpp:sm:3' previd='session-1' h='0'/>");
      },
      { timeout: '300ms' },
    );
    await connection.connect(NEVER);
    await connection.connect(NEVER);
    await expect(sendText(connection, 'x')).rejects.toMatchObject({ name: 'Unknown' });
    connection.connect(NEVER).catch(() => undefined); // the scripted server says no more
    await waitFor(() => attempts.length === 2, { what: 'another login' });
    expect(attempts[0]).toContain('<resume');
    expect(attempts[1]).toContain('<iq');
    await connection.close(AbortSignal.abort());
  });
});
