/** Everything that a grant can permit, with what it means. The reference pages are made from it. */
export const ACTIONS = {
  publish: 'Send messages to an address, by a route or directly.',
  subscribe: 'Get new events of an address as they come.',
  request: 'Send a message to an address and wait for the reply.',
  read: 'See the state and the past of an address: history, events, dead letters, presence; of a whole connection: its status.',
  operate: 'Retry and drop deliveries and dead letters, see the configuration.',
  edit: 'Change the configuration.',
  admin: 'Manage keys and users.',
  metrics: 'Read the metrics.',
} as const;

/** What a grant permits or forbids. */
export type Action = keyof typeof ACTIONS;

/** The names of all actions, in the order of the documentation. */
export const ACTION_NAMES = Object.keys(ACTIONS) as [Action, ...Action[]];
