import { ORPHAN_PIN_MS } from '@magpie/bus';
import { isoInstant } from '@magpie/contract';
import type { Decision, Gateway, OrphanStatus, TargetLoad } from '@magpie/core';
import { z } from 'zod';
import { Problem } from '../../http/problems/problem.ts';
import { type Resource, resource } from '../deps.ts';
import { decidedSchema, selectionSchema, targetsSchema } from './schema.ts';

const list = resource({
  method: 'GET',
  url: '/v1/targets',
  summary: 'All targets with their backlogs, including removed ones whose backlog is still kept',
  needs: { action: 'read', scope: 'everywhere' },
  schema: { response: { 200: targetsSchema } },
  handler:
    ({ gateway }) =>
    async () => ({ targets: gateway.targets().map(show), orphans: await orphansOf(gateway) }),
});

/** An operator's decision about waiting deliveries of a target. */
const decide = (decision: Decision, summary: string): Resource =>
  resource({
    method: 'POST',
    url: `/v1/targets/:consumer/${decision}`,
    summary,
    schema: {
      params: z.object({ consumer: z.string().max(1024) }),
      querystring: selectionSchema,
      response: { 202: decidedSchema },
    },
    problems: [404],
    needs: { action: 'operate', scope: 'everywhere' },
    handler:
      ({ gateway }) =>
      async ({ params: { consumer }, query: { ref, lane, place } }, reply) => {
        const selection = {
          ...(ref === undefined ? {} : { ref }),
          ...(lane === undefined ? {} : { lane }),
          ...(place === undefined ? {} : { place }),
        };
        const deliveries = gateway.decide(consumer, selection, decision);
        if (deliveries === undefined) throw new Problem(404, `There is no target "${consumer}": see /v1/targets.`);
        return reply.code(202).send({ deliveries });
      },
  });

const WHICH = 'blocked ones (out of attempts, `then: block`), or those of the given event, lane or place';

/** `/v1/targets` with the operators' decisions. */
export const targetResources: readonly Resource[] = [
  list,
  decide('retry', `Retry deliveries of a target, with a new count of attempts: ${WHICH}`),
  decide('dead-letter', `Turn deliveries of a target into dead letters: ${WHICH}`),
  decide('drop', `Delete deliveries of a target for good: ${WHICH}`),
];

/** Removed targets as every answer shows them. */
export const orphansOf = async (gateway: Pick<Gateway, 'orphans'>) => (await gateway.orphans()).map(showOrphan);

const show = ({ flying, suspension, places, quietUntil, ...load }: TargetLoad) => ({
  ...load,
  ...(quietUntil === undefined ? {} : { quietUntil: isoInstant(quietUntil) }),
  places: places.map(({ since, nextAttempt, ...place }) => ({
    ...place,
    since: isoInstant(since),
    nextAttempt: isoInstant(nextAttempt),
  })),
  inFlight: flying,
  ...(suspension
    ? {
        suspension: {
          ...suspension,
          since: isoInstant(suspension.since),
          nextAttempt: isoInstant(suspension.nextAttempt),
        },
      }
    : {}),
});

const showOrphan = ({ since, ...orphan }: OrphanStatus) => ({
  ...orphan,
  since: isoInstant(since),
  keptUntil: isoInstant(since + ORPHAN_PIN_MS),
});
