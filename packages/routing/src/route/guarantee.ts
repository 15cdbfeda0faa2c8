import type { Guarantee } from '@magpie/contract';
import type { Pacing } from '../pacing/types.ts';
import type { Report } from '../report.ts';
import type { ConnectionInfo, RetryPolicy, Target } from '../types.ts';
import type { Source } from './source.ts';

/** The path from a source to one target. */
export interface DeliveryPath {
  readonly source: Source;
  readonly connection: ConnectionInfo;
  /** Parsed options of the target as they may turn out; none when they depend too much on the event. */
  readonly options: readonly unknown[];
  readonly retry: RetryPolicy;
  readonly backlog: Target['backlog'];
  readonly pacing: Pacing | undefined;
}

/** The guarantee of a delivery path: its weakest link decides and is named in the reason. */
export function guaranteeOf(path: DeliveryPath): Guarantee {
  const links = [sourceLink(path.source), ownLink(path), targetLink(path)];
  const weak = links.find(({ level }) => level === 'at-most-once');
  if (weak !== undefined) return weak;
  return { level: 'at-least-once', reason: `${links[0]!.reason}; ${links[2]!.reason}` };
}

function sourceLink({ connection: { name, adapter, config }, request, logged }: Source): Guarantee {
  if (!logged) return { level: 'at-most-once', reason: `from ${name}: "durability: none" bypasses the log` };
  const { level, reason } = adapter.guarantees.source(config, request.options);
  return { level, reason: `from ${name}: ${reason}` };
}

function ownLink({ retry, backlog, pacing }: DeliveryPath): Guarantee {
  if (retry.then === 'drop') return { level: 'at-most-once', reason: '"retry.then: drop" gives deliveries up' };
  if (backlog.onFull === 'drop') return { level: 'at-most-once', reason: '"backlog.onFull: drop" gives deliveries up' };
  if (pacing?.rate !== undefined) return { level: 'at-most-once', reason: '"rate" gives deliveries up' };
  if (pacing?.quiet !== undefined && pacing.quiet.then !== 'hold')
    return { level: 'at-most-once', reason: `"quiet.then: ${pacing.quiet.then}" gives deliveries up` };
  return { level: 'at-least-once', reason: 'the log is durable' };
}

function targetLink({ connection: { name, adapter, config }, options }: DeliveryPath): Guarantee {
  const possible = options.map((each) => adapter.guarantees.target(config, each));
  const weakest = possible.find(({ level }) => level === 'at-most-once') ?? possible[0];
  if (weakest === undefined) return { level: 'at-most-once', reason: `to ${name}: the options depend on the event` };
  return { level: weakest.level, reason: `to ${name}: ${weakest.reason}` };
}

/** Reports a `guarantee:` that cannot hold, with the link that breaks it. */
export function checkGuarantee(wanted: Guarantee['level'] | undefined, actual: Guarantee, report: Report): void {
  if (wanted !== 'at-least-once' || actual.level === 'at-least-once') return;
  report.error(`at-least-once cannot hold: ${actual.reason}`, {
    hint: 'strengthen that link, or say "guarantee: at-most-once"',
  });
}
