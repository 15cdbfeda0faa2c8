import { ORPHAN_PIN_MS } from '@magpie/bus';
import type { Gateway, OrphanStatus, TargetLoad } from '@magpie/core';
import { z } from 'zod';
import { Problem } from '../../http/problems/problem.ts';
import { type Resource, resource } from '../deps.ts';
import { iso } from '../time.ts';
import { targetsSchema, unblockedSchema } from './schema.ts';

const list = resource({
  method: 'GET',
  url: '/v1/targets',
  summary: 'All targets with what they have before them, and removed ones whose backlog is still kept',
  schema: { response: { 200: targetsSchema } },
  handler:
    ({ gateway }) =>
    async () => ({ targets: gateway.targets().map(show), orphans: await orphansOf(gateway) }),
});

/** An operator's decision about the blocked deliveries of a target. */
const decide = (decision: 'retry' | 'dead-letter', summary: string): Resource =>
  resource({
    method: 'POST',
    url: `/v1/targets/:consumer/${decision}`,
    summary,
    schema: { params: z.object({ consumer: z.string().max(1024) }), response: { 202: unblockedSchema } },
    problems: [404],
    handler:
      ({ gateway }) =>
      async ({ params: { consumer } }, reply) => {
        const blocked = gateway.unblock(consumer, decision);
        if (blocked === undefined) throw new Problem(404, `There is no target "${consumer}": see /v1/targets.`);
        return reply.code(202).send({ blocked });
      },
  });

/** `/v1/targets` with what operators do to what is blocked there. */
export const targetResources: readonly Resource[] = [
  list,
  decide('retry', 'Try the deliveries of a target again that are out of attempts (`then: block`), counted anew'),
  decide('dead-letter', 'Make dead letters of the deliveries of a target that are out of attempts (`then: block`)'),
];

/** Removed targets as every answer shows them. */
export const orphansOf = async (gateway: Pick<Gateway, 'orphans'>) => (await gateway.orphans()).map(showOrphan);

const show = ({ flying, suspension, ...load }: TargetLoad) => ({
  ...load,
  inFlight: flying,
  ...(suspension
    ? { suspension: { ...suspension, since: iso(suspension.since), nextAttempt: iso(suspension.nextAttempt) } }
    : {}),
});

const showOrphan = ({ since, ...orphan }: OrphanStatus) => ({
  ...orphan,
  since: iso(since),
  keptUntil: iso(since + ORPHAN_PIN_MS),
});
