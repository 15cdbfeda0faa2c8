import {
  type ConnectionStore,
  nullLogger,
  type OutgoingEvent,
  type ReceivedEvent,
  systemClock,
} from '@magpie/contract';
import { memoryStore } from '@magpie/testkit';
import { describe, expect, it } from 'vitest';
import { Gaps } from '../../src/archive/gaps.ts';
import { type Element, xml } from '../../src/codec/stanza/element.ts';
import { NS } from '../../src/codec/stanza/namespaces.ts';
import { Nodes } from '../../src/nodes/nodes.ts';
import type { Intake } from '../../src/receive/intake.ts';
import { StanzaLimit } from '../../src/send/stanza-limit.ts';
import { NEVER } from '../support/link.ts';
import { ACCOUNT, itemOf, type NodeService, nodeService, SERVICE } from '../support/node-service.ts';

const PLACE = { service: SERVICE, node: 'plant' };

const pattern = (node: string) => ({
  scheme: 'node',
  segments: [SERVICE, node].map((value) => ({ type: 'literal', value }) as const),
});

/** One process of a gateway at a service; `store` outlives it. */
function gateway(service: NodeService, store: ConnectionStore = memoryStore(), createNodes = false) {
  const got: string[] = [];
  const finished: string[] = [];
  const details = new Map<string, string | undefined>();
  let isStoring = true;
  const note = (event: ReceivedEvent, stored: () => void): void => {
    const text = Buffer.from(event.body).toString();
    got.push(event.kind === 'status' ? 'gap' : event.origin.replay ? `replay ${text}` : text);
    if (isStoring) stored();
  };
  const intake: Pick<Intake, 'take' | 'notice' | 'flush' | 'load'> = {
    take: ({ finish }, event) => note(event, finish),
    notice: note,
    flush: () => undefined,
    load: () => 0,
  };
  const context = {
    ...{ name: 'chat', gatewayId: 'magpie', logger: nullLogger, clock: systemClock, store },
    lost: () => undefined,
    detail: (part: string, state: string | undefined) => void details.set(part, state),
    count: () => undefined,
  };
  let up = true;
  const nodes = new Nodes({
    config: { createNodes },
    ...{ context, account: ACCOUNT, intake: intake as Intake, gaps: new Gaps(ACCOUNT, intake as Intake) },
    limit: new StanzaLimit({ configured: undefined, context }),
    link: () => (up ? service.link : undefined),
  });
  const hear = (message: Element): boolean =>
    nodes.take({ stanza: message, repeated: false, finish: () => void finished.push(String(message.attrs.id ?? '')) });
  return {
    ...{ nodes, got, finished },
    detail: () => details.get(`node ${SERVICE}/plant`),
    begin: async () => {
      await nodes.load();
      nodes.begin();
    },
    want: (...names: string[]) => nodes.want(names.map(pattern)),
    cut: () => {
      up = false;
      nodes.lost();
    },
    hear,
    /** The log takes nothing any more. */
    refuse: () => {
      isStoring = false;
    },
    /** The service takes an item, and tells us of it. */
    published: (id: string, text: string) => {
      keep(service, id, text);
      hear(notification(id, text));
    },
    /** Long enough for what is kept to be so. */
    kept: () => new Promise((resolve) => setTimeout(resolve, 250)),
  };
}

function keep({ nodes }: NodeService, id: string, text: string): void {
  const others = (nodes.get('plant') ?? []).filter(([other]) => other !== id);
  nodes.set('plant', [...others, [id, text]]);
}

const notification = (id: string, text: string, from = SERVICE, more: Element[] = []): Element => {
  const items = xml('items', { node: 'plant' }, itemOf(id, text));
  return xml(
    'message',
    { from, id: `m-${id}`, type: 'headline' },
    xml('event', { xmlns: NS.pubsubEvent }, items),
    ...more,
  );
};

const outgoing = (text: string, delivery: string): OutgoingEvent => ({
  ...{ ref: 'r', id: delivery, delivery, body: Buffer.from(text), headers: [], via: [], time: 1, redelivered: false },
});

/** A service with the node, and a gateway that receives from it. */
async function subscribed(store?: ConnectionStore) {
  const service = nodeService();
  service.nodes.set('plant', []);
  const made = gateway(service, store);
  await made.begin();
  await made.want('plant');
  return { service, ...made };
}

describe('a subscription', () => {
  it('is made once, and brings what is published', async () => {
    const { service, got, finished, want, published, detail } = await subscribed();
    published('1', 'hot');
    await want('plant');
    expect(service.asked.filter((name) => name === 'subscribe')).toHaveLength(1);
    expect([got, finished, detail()]).toEqual([['hot'], ['m-1'], 'subscribed']);
  });

  it('believes nobody but the service', async () => {
    const { got, hear, finished } = await subscribed();
    for (const from of ['mallory@localhost/x', 'pubsub.evil.org', `${SERVICE}/x`, 'localhost', ''])
      expect(hear(notification('1', 'forged', from))).toBe(false);
    expect([got, finished]).toEqual([[], []]);
  });

  it('is not made to a node that does not exist, unless nodes may be created', async () => {
    const service = nodeService();
    const strict = gateway(service);
    await strict.begin();
    await strict.want('plant');
    expect(strict.detail()).toBe('not permitted: the node does not exist; createNodes: true makes it');
    expect(service.asked).not.toContain('create');
    strict.cut();
    const free = gateway(service, memoryStore(), true);
    await free.begin();
    await free.want('plant');
    expect([free.detail(), service.nodes.has('plant')]).toEqual(['subscribed', true]);
  });

  it('shows why it was refused', async () => {
    const service = nodeService();
    service.nodes.set('plant', []);
    service.refusals.subscribe = 'forbidden';
    const made = gateway(service);
    await made.begin();
    await made.want('plant');
    expect(made.detail()).toContain('forbidden');
    made.cut();
  });

  it('is missed by the next ping when the service has lost it', async () => {
    const { service, nodes, detail, cut } = await subscribed();
    service.subscribed.clear();
    await nodes.ping(NEVER);
    expect(detail()).toBe('the service has lost our subscription; subscribing again');
    cut();
  });

  it('ends when no route wants it any more, also after a restart', async () => {
    const store = memoryStore();
    const { service, kept } = await subscribed(store);
    await kept();
    const next = gateway(service, store);
    await next.begin();
    await next.want();
    expect(service.subscribed.has('plant')).toBe(false);
  });
});

describe('what was published while the gateway was away', () => {
  it.each([true, false])(
    'comes once and in order, before what is told meanwhile (oldest first: %s)',
    async (oldestFirst) => {
      const store = memoryStore();
      const { service, published, kept } = await subscribed(store);
      service.oldestFirst = oldestFirst;
      for (const id of ['1', '2']) published(id, `item ${id}`);
      await kept();
      for (const id of ['3', '4', '5', '6', '7']) keep(service, id, `item ${id}`);
      const next = gateway(service, store);
      await next.begin();
      const wanted = next.want('plant');
      next.published('8', 'item 8');
      await wanted;
      expect(next.got).toEqual([...['3', '4', '5', '6', '7'].map((id) => `replay item ${id}`), 'item 8']);
    },
  );

  it('is the last content of an item that was published again', async () => {
    const store = memoryStore();
    const { service, published, kept } = await subscribed(store);
    for (const text of ['on', 'off']) published('current', text);
    await kept();
    const same = gateway(service, store);
    await same.begin();
    await same.want('plant');
    expect(same.got).toEqual([]);
    keep(service, 'current', 'on');
    const other = gateway(service, store);
    await other.begin();
    await other.want('plant');
    expect(other.got).toEqual(['replay on']);
  });

  it('is also what came and could not be stored', async () => {
    const store = memoryStore();
    const { service, published, kept, refuse } = await subscribed(store);
    published('1', 'stored');
    refuse();
    published('2', 'not stored');
    await kept();
    const next = gateway(service, store);
    await next.begin();
    await next.want('plant');
    expect(next.got).toEqual(['replay not stored']);
  });

  it('is a possible gap when the node has nothing left of what is known', async () => {
    const store = memoryStore();
    const { service, published, kept } = await subscribed(store);
    published('1', 'old');
    await kept();
    service.nodes.set('plant', [['9', 'new']]);
    const next = gateway(service, store);
    await next.begin();
    await next.want('plant');
    expect(next.got).toEqual(['gap', 'replay new']);
  });

  it('is a possible gap when the node gives no items', async () => {
    const store = memoryStore();
    const { service, published, kept } = await subscribed(store);
    published('1', 'old');
    await kept();
    service.refusals.ids = 'feature-not-implemented';
    const next = gateway(service, store);
    await next.begin();
    await next.want('plant');
    next.published('2', 'live');
    expect(next.got).toEqual(['gap', 'live']);
  });

  it('is nothing the first time of all, and the last item that a service sends is then known', async () => {
    const service = nodeService();
    service.nodes.set('plant', [['1', 'old']]);
    const made = gateway(service);
    await made.begin();
    await made.want('plant');
    const delay = xml('delay', { xmlns: NS.delay, stamp: '2026-01-01T00:00:00Z' });
    made.hear(notification('1', 'old', SERVICE, [delay]));
    made.hear(notification('1', 'unknown', SERVICE, [delay]));
    expect(made.got).toEqual(['replay unknown']);
  });
});

describe('publishing', () => {
  it('counts as done when the service has answered, and our own item is no event', async () => {
    const { nodes, got, hear, finished } = await subscribed();
    const receipt = await nodes.publish(PLACE, outgoing('hot', 'd1'), undefined, NEVER);
    expect(receipt).toEqual({ confirmedBy: 'server-answer' });
    hear(notification('d1', 'hot'));
    hear(notification('d1', 'hot'));
    expect([got, finished.length]).toEqual([['hot'], 2]);
  });

  it('makes no node, since some services do for whoever publishes', async () => {
    const service = nodeService();
    const { nodes } = gateway(service);
    await expect(nodes.publish(PLACE, outgoing('hot', 'd1'), undefined, NEVER)).rejects.toMatchObject({
      concerns: 'place',
      message: expect.stringContaining('createNodes'),
    });
    expect(service.asked).toEqual(['info']);
  });

  it.each([
    ['forbidden', { suspendsPlace: true }],
    ['item-not-found', { suspendsPlace: true }],
    ['conflict', { name: 'Rejected', concerns: 'message' }],
    ['resource-constraint', { name: 'Throttled', concerns: 'place' }],
  ])('that is refused with %s says so', async (condition, expected) => {
    const { service, nodes } = await subscribed();
    service.refusals.publish = condition;
    const sent = nodes.publish(PLACE, outgoing('hot', 'd1'), undefined, NEVER);
    await expect(sent).rejects.toMatchObject({ ...expected, message: expect.stringContaining(condition) });
  });

  it('to a service that is silent concerns that place, not the link', async () => {
    const { service, nodes } = await subscribed();
    service.silent = 'publish';
    const sent = nodes.publish(PLACE, outgoing('hot', 'd1'), undefined, NEVER);
    await expect(sent).rejects.toMatchObject({ name: 'Unknown', concerns: 'place' });
  });
});
