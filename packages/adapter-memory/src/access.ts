import type { AccessRules } from '@magpie/contract';

const NAME = /^[\w./-]+$/;
const ANYONE = '*';

/** Entries of `allow`: client ids of publishers, or `*` for anyone. */
export const access: AccessRules = {
  open: true,
  validate: (entry) =>
    entry === ANYONE || NAME.test(entry)
      ? undefined
      : `expected a client id (letters, digits and . _ - /) or "*" for anyone, got "${entry}"`,
  permits: (entry, { sender }) => entry === ANYONE || (sender !== '' && sender === entry),
};
