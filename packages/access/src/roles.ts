import type { Action } from './actions.ts';
import type { Grant } from './grant.ts';

const everywhere = (...actions: readonly Action[]): readonly Grant[] =>
  actions.map((action) => ({ action, effect: 'allow' }));

const viewer = everywhere('read', 'subscribe', 'metrics');
const operator = [...viewer, ...everywhere('operate')];
const editor = [...operator, ...everywhere('edit', 'publish', 'request')];

/** Bundles of grants by name: nothing in them that a list of grants could not say. */
export const ROLES = { viewer, operator, editor, admin: [...editor, ...everywhere('admin')] } as const satisfies Record<
  string,
  readonly Grant[]
>;

/** The name of a bundle of grants. */
export type Role = keyof typeof ROLES;

/** The names of all roles, from the least to the most. */
export const ROLE_NAMES = Object.keys(ROLES) as [Role, ...Role[]];
