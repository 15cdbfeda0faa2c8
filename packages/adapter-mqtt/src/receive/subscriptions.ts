import type { SourceRequest } from '@magpie/contract';
import type { Link } from '../link/link.ts';
import type { Refusal, Refusals } from '../link/subscribe-requests.ts';
import type { InboundPacket } from '../wire/packets.ts';
import type { SubscribeOptions } from '../wire/requests.ts';
import { planSubscriptions, type Subscription } from './filters.ts';

/** Subscription identifiers: the first marks messages from the broker's store, the second live ones. */
const REPLAY = 1;
const LIVE = 2;
const FILTERS_PER_PACKET = 100;

/** The subscriptions in the broker's session, as far as this process knows. */
export interface Subscriptions {
  /** Called for a link whose session was not resumed: it has none. */
  forget(): void;
  /** Called for a new link whose session was resumed. They are subscribed again, which changes nothing on MQTT 5. */
  doubt(): void;
  /**
   * Subscribes exactly the filters that these sources need. A refused filter is left out, and the filters it covered
   * are subscribed instead. Never called concurrently for one link.
   * @returns what the broker refused.
   * @throws as `Link.subscribe` and `Link.unsubscribe`; completed changes stay recorded.
   */
  apply(link: Link, sources: readonly SourceRequest[]): Promise<Refusals>;
}

/** Starts with a session of unknown content: everything wanted is subscribed again, which is harmless. */
export function createSubscriptions(version: 5 | 3): Subscriptions {
  const held = new Map<string, Subscription>();
  const doubted = new Set<string>();
  const addMissing = async (link: Link, plan: ReadonlyMap<string, Subscription>): Promise<Refusals> => {
    const missing = [...plan.values()].filter((sub) => doubted.has(sub.filter) || !same(held.get(sub.filter), sub));
    const refused = new Map<string, Refusal>();
    let silence: Refusal | undefined;
    for (const group of packetsOf(missing)) {
      const refusals = silence ? undefined : await add(link, version, group);
      for (const sub of group) {
        const refusal = refusals ? refusals.get(sub.filter) : silence;
        if (refusal?.isUnanswered) silence = refusal;
        else doubted.delete(sub.filter);
        if (refusal) refused.set(sub.filter, refusal);
        // A subscription granted at a lower QoS exists and must be removed.
        const qos = refusal ? refusal.granted : sub.qos;
        if (qos !== undefined) held.set(sub.filter, { ...sub, qos });
      }
    }
    return refused;
  };
  const dropStale = async (link: Link, plan: ReadonlyMap<string, Subscription>): Promise<void> => {
    const stale = [...held.keys()].filter((filter) => !plan.has(filter));
    for (let at = 0; at < stale.length; at += FILTERS_PER_PACKET) {
      const filters = stale.slice(at, at + FILTERS_PER_PACKET);
      if (!(await link.unsubscribe(filters))) return;
      for (const filter of filters) held.delete(filter);
    }
  };
  return {
    forget: () => held.clear(),
    doubt() {
      if (version === 5) for (const filter of held.keys()) doubted.add(filter);
    },
    async apply(link, sources) {
      const refused = new Map<string, Refusal>();
      for (;;) {
        const plan = planSubscriptions(sources, refused);
        const more = await addMissing(link, plan);
        for (const [filter, refusal] of more) refused.set(filter, refusal);
        // A broker that does not answer is asked no more.
        if ([...more.values()].some(({ isUnanswered }) => isUnanswered)) return refused;
        if (more.size > 0) continue;
        await dropStale(link, plan);
        return refused;
      }
    },
  };
}

const same = (a: Subscription | undefined, b: Subscription): boolean => a?.qos === b.qos && a.noLocal === b.noLocal;

/** Subscriptions of equal options, as many as fit into one packet. */
function packetsOf(list: readonly Subscription[]): Subscription[][] {
  const groups = Object.values(Object.groupBy(list, ({ qos, noLocal }) => `${qos} ${noLocal}`));
  return groups.flatMap((group = []) =>
    Array.from({ length: Math.ceil(group.length / FILTERS_PER_PACKET) }, (_, index) =>
      group.slice(index * FILTERS_PER_PACKET, (index + 1) * FILTERS_PER_PACKET),
    ),
  );
}

/**
 * Subscribes one group. With identifiers it sends two SUBSCRIBEs at once: retained messages answer the first and carry
 * its identifier; the second replaces the subscription before anything else is published. This distinguishes a replay
 * from a live message although both keep their retain flag. Without identifiers the flag must do.
 */
async function add(link: Link, version: 5 | 3, group: readonly Subscription[]): Promise<Refusals> {
  const [first] = group;
  if (!first) return new Map();
  const filters = group.map(({ filter }) => filter);
  const { qos, noLocal: nl } = first;
  const steps: SubscribeOptions[] = marksReplays(link, version)
    ? [
        { qos, nl, rap: true, rh: 1, identifier: REPLAY },
        { qos, nl, rap: true, rh: 2, identifier: LIVE },
      ]
    : [version === 5 ? { qos, nl, rap: false, rh: 1 } : { qos }];
  const answers = await Promise.all(steps.map((options) => link.subscribe(filters, options)));
  return new Map(answers.flatMap((refusals) => [...refusals]));
}

const marksReplays = ({ broker }: Link, version: 5 | 3): boolean => version === 5 && broker.subscriptionIdentifiers;

/**
 * Whether a received message comes from the broker's store because we subscribed. Without an identifier the retain flag
 * says so exactly: then we have not asked to keep it as published [MQTT-3.3.1-12].
 */
export function isReplay({ retain, properties }: InboundPacket): boolean {
  if (!retain) return false;
  return (properties?.subscriptionIdentifiers ?? []).every((identifier) => identifier === REPLAY);
}
