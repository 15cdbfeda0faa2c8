import type { InboundPacket } from './decode.ts';
import type { Subscription } from './filters.ts';
import type { Link } from './link.ts';
import type { SubscribeOptions } from './subscribe.ts';

/** Subscription identifiers: the first brings what the broker has kept, the second what is published from then on. */
const REPLAY = 1;
const LIVE = 2;
const FILTERS_PER_PACKET = 100;

/** The subscriptions that the broker's session holds for us, as far as this process knows. */
export interface Subscriptions {
  /** A link whose session was not resumed holds none. */
  forget(): void;
  /** Makes the session hold exactly these. @throws as `subscribe` and `unsubscribe`; what was done stays known. */
  apply(link: Link, wanted: ReadonlyMap<string, Subscription>): Promise<void>;
}

/** Starts with a session of unknown content: everything wanted is subscribed again, which is harmless. */
export function createSubscriptions(version: 5 | 3): Subscriptions {
  const held = new Map<string, Subscription>();
  return {
    forget: () => held.clear(),
    apply: async (link, wanted) => {
      const stale = [...held.keys()].filter((filter) => !wanted.has(filter));
      const missing = [...wanted.values()].filter((sub) => !same(held.get(sub.filter), sub));
      for (const group of packetsOf(missing)) {
        await add(link, version, group);
        for (const sub of group) held.set(sub.filter, sub);
      }
      for (let at = 0; at < stale.length; at += FILTERS_PER_PACKET) {
        const filters = stale.slice(at, at + FILTERS_PER_PACKET);
        await link.unsubscribe(filters);
        for (const filter of filters) held.delete(filter);
      }
    },
  };
}

const same = (a: Subscription | undefined, b: Subscription): boolean => a?.qos === b.qos && a.noLocal === b.noLocal;

/** Subscriptions of equal options, as many as go into one packet. */
function packetsOf(list: readonly Subscription[]): Subscription[][] {
  const groups = Object.values(Object.groupBy(list, ({ qos, noLocal }) => `${qos} ${noLocal}`));
  return groups.flatMap((group = []) =>
    Array.from({ length: Math.ceil(group.length / FILTERS_PER_PACKET) }, (_, index) =>
      group.slice(index * FILTERS_PER_PACKET, (index + 1) * FILTERS_PER_PACKET),
    ),
  );
}

/**
 * Subscribes one group. With identifiers it subscribes twice in one go: retained messages answer the first SUBSCRIBE
 * and carry its identifier, the second one replaces the subscription before anything else is published. So a replay
 * is told from a live message although both keep their retain flag. Without identifiers the flag must tell.
 */
async function add(link: Link, version: 5 | 3, group: readonly Subscription[]): Promise<void> {
  const [first] = group;
  if (!first) return;
  const filters = group.map(({ filter }) => filter);
  const { qos, noLocal: nl } = first;
  const steps: SubscribeOptions[] = marksReplays(link, version)
    ? [
        { qos, nl, rap: true, rh: 1, identifier: REPLAY },
        { qos, nl, rap: true, rh: 2, identifier: LIVE },
      ]
    : [version === 5 ? { qos, nl, rap: false, rh: 1 } : { qos }];
  await Promise.all(steps.map((options) => link.subscribe(filters, options)));
}

const marksReplays = ({ broker }: Link, version: 5 | 3): boolean => version === 5 && broker.subscriptionIdentifiers;

/**
 * Whether a received message comes from the broker's store because we subscribed. Without an identifier the retain flag
 * says so exactly: then we have not asked to keep it as published [MQTT-3.3.1-12].
 */
export function isReplay({ retain, properties }: InboundPacket): boolean {
  if (!retain) return false;
  const identifiers = [properties?.subscriptionIdentifier ?? []].flat();
  return identifiers.every((identifier) => identifier === REPLAY);
}
