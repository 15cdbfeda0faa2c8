/** Many routes that differ from one another, and topics that belong to them. */
export interface Topics {
  readonly name: string;
  /** The pattern of route `index`. */
  pattern(index: number): string;
  /** A topic that fits this pattern and no other, or none at all. */
  topic(index: number): string;
  readonly matches: boolean;
}

const area = (index: number): string => `area-${index % 100}`;

/** Levels before the last that are each fixed in half of the patterns and `+` in the others. */
const MIXED = ['a', 'b', 'c', 'd', 'e'];
const MIXES = 2 ** MIXED.length;

/** Every mix of fixed levels and `+`, so that a topic goes down all of them at once. */
function mixed(index: number): string {
  const levels = MIXED.map((level, bit) => ((index >> bit) & 1 ? '+' : level));
  return [...levels, `end-${Math.floor(index / MIXES)}`].join('/');
}

/** What is looked up, by kind. */
export const TOPICS = {
  exact: {
    name: 'exact topics',
    pattern: (index) => `plant/${area(index)}/pump-${index}/alarm`,
    topic: (index) => `plant/${area(index)}/pump-${index}/alarm`,
    matches: true,
  },
  hot: {
    name: 'exact topics, always one',
    pattern: (index) => `plant/${area(index)}/pump-${index}/alarm`,
    topic: () => 'plant/area-0/pump-0/alarm',
    matches: true,
  },
  one: {
    name: '+ wildcards',
    pattern: (index) => `plant/+/pump-${index}/+`,
    topic: (index) => `plant/${area(index)}/pump-${index}/alarm`,
    matches: true,
  },
  many: {
    name: '# wildcards',
    pattern: (index) => `plant/${area(index)}/pump-${index}/#`,
    topic: (index) => `plant/${area(index)}/pump-${index}/alarm/high`,
    matches: true,
  },
  captures: {
    name: '{captures}, values taken',
    pattern: (index) => `plant/{area}/pump-${index}/{what}`,
    topic: (index) => `plant/${area(index)}/pump-${index}/alarm`,
    matches: true,
  },
  none: {
    name: 'nothing matches',
    pattern: (index) => `plant/${area(index)}/pump-${index}/alarm`,
    topic: (index) => `plant/${area(index)}/pump-${index}/quiet`,
    matches: false,
  },
  worst: {
    name: 'nothing matches, + anywhere',
    pattern: mixed,
    topic: (index) => [...MIXED, `none-${index}`].join('/'),
    matches: false,
  },
} as const satisfies Readonly<Record<string, Topics>>;
