import { unique, useSharedBrokers, waitFor } from '@magpie/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome, runCli } from '../../support/gateway-process.ts';
import { type RawChat, rawChat } from '../../support/raw-xmpp.ts';

const shared = useSharedBrokers('prosody');

const GONE = '<error type="cancel"><gone xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error>';

interface Target {
  readonly state: string;
  readonly error?: string;
  readonly confirmedBy?: string;
}

interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
  readonly consumer: string;
  readonly event: { readonly text: string };
}

describe('a chat message that comes back after the server had confirmed it', () => {
  let home: GatewayHome;
  let gateway: GatewayProcess;
  let alice: RawChat;
  let mallory: RawChat;
  beforeAll(async () => {
    const { urls, ca, ports, control } = shared.prosody;
    const account = unique('bridge');
    await control('register', account, 'localhost', 'bridge-secret');
    await control('register', 'mallory', 'localhost', 'mallory-secret').catch(() => undefined); // from an earlier run
    const chat = { type: 'xmpp', jid: `${account}@localhost`, password: 'bridge-secret', url: urls.plain, tls: { ca } };
    const head = { version: 1, gateway: { id: 'bounce', dataDir: './data' }, http: { port: 0 } };
    home = await gatewayHome(JSON.stringify({ ...head, connections: { chat } }));
    gateway = await home.start();
    alice = await rawChat(ports.plain, 'alice', 'alice-secret');
    mallory = await rawChat(ports.plain, 'mallory', 'mallory-secret');
  });
  afterAll(async () => {
    alice.close();
    mallory.close();
    await home.remove();
  });

  const get = async <T>(path: string): Promise<T> => (await (await fetch(`${gateway.url}${path}`)).json()) as T;
  const target = async (ref: string): Promise<Target | undefined> =>
    (await get<{ targets: Target[] }>(`/v1/messages/${ref}`)).targets[0];
  const letters = async (): Promise<readonly Letter[]> =>
    (await get<{ deadLetters: Letter[] }>('/v1/dead-letters')).deadLetters;
  const confirmed = (ref: string): Promise<Target> =>
    waitFor(async () => ((await target(ref))?.state === 'confirmed' ? await target(ref) : undefined), {
      what: 'the confirmation',
    });

  /** Sends a text to alice; resolves to its ref, the id that alice saw and the address it came from. */
  const send = async (text: string) => {
    const { code, stdout, stderr } = await runCli(
      ...['publish', '--to', 'chat', 'jid=Alice@localhost', text, '--url', gateway.url],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [stanza] = await alice.next(/<message[^>]*>(?:(?!<\/message>).)*<body>.*?<\/message>/s);
    const attribute = (name: string): string => new RegExp(` ${name}=["']([^"']+)["']`).exec(stanza)?.[1] ?? '';
    return { ref: stdout.trim(), id: attribute('id'), from: attribute('from') };
  };

  it('is a dead letter with the reason, and its delivery is bounced, although nothing receives from that address', async () => {
    const { ref, id, from } = await send('are you there?');
    await confirmed(ref);
    alice.send(`<message to="${from}" type="error" id="${id}">${GONE}</message>`);
    const [letter] = await waitFor(async () => ((await letters()).length > 0 ? letters() : undefined), {
      what: 'the dead letter',
    });
    expect(letter).toMatchObject({ reason: 'bounced', message: expect.stringContaining('gone') });
    const { event } = await get<Letter>(`/v1/dead-letters/${letter!.id}`);
    expect(event.text).toBe('are you there?');
    expect(await target(ref)).toMatchObject({ state: 'bounced', error: expect.stringContaining('gone') });
    const { stdout } = await runCli('trace', ref, '--url', gateway.url);
    expect(stdout).toMatch(/bounced .*gone/);
  });

  it('can be tried again, also by a gateway that has started anew, and is then confirmed', async () => {
    expect(await gateway.terminate()).toBe(0);
    gateway = await home.start();
    const [letter] = await letters();
    const { code } = await runCli('dead-letters', 'retry', letter!.id, '--url', gateway.url);
    expect(code).toBe(0);
    await alice.next(/<body>are you there\?<\/body>/);
    await waitFor(async () => (await letters()).length === 0, { what: 'no dead letters' });
  });

  it('is believed only from the address that it went to, and not even stored from anywhere else', async () => {
    const { ref, id, from } = await send('only alice may refuse this');
    await confirmed(ref);
    mallory.send(`<message to="${from}" type="error" id="${id}">${GONE}</message>`);
    const other = await send('this one she refuses');
    await confirmed(other.ref);
    alice.send(`<message to="${other.from}" type="error" id="${other.id}">${GONE}</message>`);
    await waitFor(async () => (await target(other.ref))?.state === 'bounced', { what: 'the refusal of alice' });
    const { events } = await get<{ events: { event: { address: string } }[] }>('/v1/events?kind=status');
    expect(events.map(({ event }) => event.address)).not.toContain('jid:mallory@localhost');
    expect(await target(ref)).toMatchObject({ state: 'confirmed' });
    expect(await letters()).toHaveLength(1);
  });
});
