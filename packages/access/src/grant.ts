import { z } from 'zod';
import { ACTION_NAMES, ACTIONS } from './actions.ts';

const actions = ACTION_NAMES.map((name) => `\`${name}\`: ${ACTIONS[name]}`).join(' ');

/** Schema of a grant as it is configured. */
export const grantSchema = z.strictObject({
  action: z.enum(ACTION_NAMES).describe(`What it is about. ${actions}`),
  connection: z.string().min(1).optional().describe('Name of a connection; without it, all of them.'),
  address: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Addresses as a pattern, such as `topic:plant/+/alarm`; `${principal.id}` stands for the id of the caller. Without it, all of them.',
    ),
  effect: z
    .enum(['allow', 'deny'])
    .default('allow')
    .describe('What no grant allows is refused; what one denies is refused whatever else allows it.'),
});

/** Permits or forbids one action, everywhere or at a connection or at addresses. */
export type Grant = z.output<typeof grantSchema>;

/** A grant in one line, for refusals: never secret. */
export const grantText = ({ action, connection, address, effect }: Grant): string =>
  [
    effect,
    action,
    ...(address === undefined ? [] : [address]),
    ...(connection === undefined ? [] : [`of ${connection}`]),
  ].join(' ');
