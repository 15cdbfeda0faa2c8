import type { AddressPattern, SourceRequest } from '@magpie/contract';
import { sourceSchema } from '../config.ts';

/** One subscription that the broker should hold. */
export interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly noLocal: boolean;
}

/** A set of topic filters that tells whether a topic, or all topics of another filter, lie inside one of them. */
export interface FilterSet {
  /** Whether some filter of the set, other than this very one, matches everything this filter or topic matches. */
  covers(filter: string, except?: string): boolean;
}

interface TrieNode {
  readonly children: Map<string, TrieNode>;
  filter: string | undefined;
}

const newNode = (): TrieNode => ({ children: new Map(), filter: undefined });

/** Builds the set. A query takes about one step per level, whatever the number of filters. */
export function filterSet(filters: Iterable<string>): FilterSet {
  const root = newNode();
  for (const filter of filters) {
    let node = root;
    for (const level of filter.split('/')) {
      const next = node.children.get(level) ?? newNode();
      node.children.set(level, next);
      node = next;
    }
    node.filter = filter;
  }
  return { covers: (filter, except) => covers(root, filter.split('/'), 0, except) };
}

function covers(node: TrieNode, levels: readonly string[], depth: number, except: string | undefined): boolean {
  const level = levels[depth];
  // Wildcards do not match the broker's own topics [MQTT-4.7.2-1].
  const open = depth > 0 || !level?.startsWith('$');
  const many = open ? node.children.get('#') : undefined;
  if (many !== undefined && many.filter !== except) return true;
  if (level === undefined) return node.filter !== undefined && node.filter !== except;
  if (level === '#') return false;
  const same = node.children.get(level);
  if (same && covers(same, levels, depth + 1, except)) return true;
  const one = open && level !== '+' ? node.children.get('+') : undefined;
  return one !== undefined && covers(one, levels, depth + 1, except);
}

/** The topic filter of an address pattern: captures and wildcards alike become `+` and `#`. */
export const filterOf = ({ segments }: AddressPattern): string =>
  segments.map((step) => (step.type === 'literal' ? step.value : step.type === 'one' ? '+' : '#')).join('/');

const sourceOptions = sourceSchema.pick({ qos: true, noLocal: true }).strip();

/**
 * The subscriptions for a list of sources, avoiding duplicates where possible: equal filters are merged (the higher
 * QoS; no-local only if all have it), and a filter covered by one that is at least as good is left out. Filters that
 * partly overlap stay, so a broker may deliver twice.
 * @param refused filters to leave out; they do not cover others either.
 */
export function planSubscriptions(
  sources: readonly SourceRequest[],
  refused: Pick<ReadonlyMap<string, unknown>, 'has'> = new Map(),
): Map<string, Subscription> {
  const merged = new Map<string, Subscription>();
  for (const { pattern, options } of sources) {
    const { qos, noLocal } = sourceOptions.parse(options);
    const filter = filterOf(pattern);
    if (refused.has(filter)) continue;
    const known = merged.get(filter);
    const wanted: Subscription = { filter, qos: qos === 0 ? 0 : 1, noLocal };
    merged.set(filter, known ? merge(known, wanted) : wanted);
  }
  return withoutCovered(merged);
}

const merge = (a: Subscription, b: Subscription): Subscription => ({
  filter: a.filter,
  qos: a.qos === 1 ? 1 : b.qos,
  noLocal: a.noLocal && b.noLocal,
});

/** A filter may replace another only with the same no-local setting and at least the same QoS. */
function withoutCovered(all: ReadonlyMap<string, Subscription>): Map<string, Subscription> {
  const list = [...all.values()];
  const setFor = (sub: Subscription) => list.filter((other) => other.noLocal === sub.noLocal && other.qos >= sub.qos);
  const sets = new Map<string, FilterSet>();
  const kept = list.filter((sub) => {
    const key = `${sub.noLocal} ${sub.qos}`;
    const set = sets.get(key) ?? filterSet(setFor(sub).map(({ filter }) => filter));
    sets.set(key, set);
    return !set.covers(sub.filter, sub.filter);
  });
  return new Map(kept.map((sub) => [sub.filter, sub]));
}
