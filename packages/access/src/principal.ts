import type { Grant } from './grant.ts';
import { ROLES, type Role } from './roles.ts';

/** Somebody who may do something: an app by its key. */
export interface Principal {
  readonly kind: 'key';
  /** Unique among those of its kind. */
  readonly id: string;
  readonly grants: readonly Grant[];
}

/** What a list of roles and grants comes to. */
export const grantsOf = (roles: readonly Role[], grants: readonly Grant[]): readonly Grant[] => [
  ...roles.flatMap((role) => ROLES[role]),
  ...grants,
];

/** `key:web-app`, as events, logs and idempotency keys name a principal. */
export const principalText = ({ kind, id }: Pick<Principal, 'kind' | 'id'>): string => `${kind}:${id}`;
