import { type Address, type AddressPattern, matchesPattern } from '@magpie/contract';
import type { Action } from './actions.ts';
import { type Area, covers, overlaps } from './areas.ts';
import { type Grant, grantText } from './grant.ts';
import type { Principal } from './principal.ts';

/** What the rules need to know of connections and their addresses. Both may change with a reload. */
export interface Places {
  /** What reads the addresses of a connection: another object after it has become one of another type. Called per check. */
  reading(connection: string | undefined): object;
  /** A pattern from text. Throws when the text is none. Called once for each grant and `reading`. */
  pattern(address: string, connection: string | undefined): AddressPattern;
  /** An address in the spelling that stands for all of the same place. Called per check. */
  comparable(address: Address, connection: string | undefined): Address;
}

/** What one principal may do. A refusal is a sentence's end, such as "no grant allows it"; undefined: it is allowed. */
export interface Access {
  /** Whether it may do something everywhere. Called per request. */
  everywhere(action: Action): string | undefined;
  /** Whether it may do something at one address. Called per message and per shown event. */
  at(action: Action, connection: string, address: Address): string | undefined;
  /** Whether it may do something in a whole area, as a subscription does: an allow covers it and no deny overlaps it. */
  within(action: Action, area: Area): string | undefined;
  /** Whether it may do something somewhere at a connection: its name is looked up then. */
  somewhere(action: Action, connection: string): string | undefined;
}

const NO_GRANT = 'no grant allows it';

const granted = (): undefined => undefined;

/** Everything is allowed: an API without keys. */
export const OPEN_ACCESS: Access = { everywhere: granted, at: granted, within: granted, somewhere: granted };

/** The access of a principal: default deny, and a deny wins. Made once per principal. */
export function createAccess({ id, grants }: Pick<Principal, 'id' | 'grants'>, places: Places): Access {
  const rules = Map.groupBy(
    grants.map((grant) => createRule(grant, id, places)),
    ({ grant: { action } }) => action,
  );
  const judge = (action: Action, allows: (rule: Rule) => boolean, denies: (rule: Rule) => boolean) => {
    let isAllowed = false;
    for (const rule of rules.get(action) ?? []) {
      if (rule.grant.effect === 'allow') isAllowed ||= allows(rule);
      else if (denies(rule)) return `the grant "${grantText(rule.grant)}" forbids it`;
    }
    return isAllowed ? undefined : NO_GRANT;
  };
  const within = (action: Action, asked: Area): string | undefined => {
    const { connection, pattern } = asked;
    const area = { connection, pattern: pattern && comparable(pattern, connection, places) };
    return judge(
      action,
      (rule) => {
        const own = rule.area(area.connection);
        return own !== undefined && covers(own, area);
      },
      (rule) => {
        const own = rule.area(area.connection);
        return own === undefined || overlaps(own, area);
      },
    );
  };
  return {
    everywhere: (action) => within(action, EVERYWHERE),
    within,
    at: (action, connection, given) => {
      const address = places.comparable(given, connection);
      const isIn = (own: Area): boolean =>
        (own.connection === undefined || own.connection === connection) &&
        (own.pattern === undefined || matchesPattern(own.pattern, address));
      return judge(
        action,
        (rule) => {
          const own = rule.area(connection);
          return own !== undefined && isIn(own);
        },
        (rule) => {
          const own = rule.area(connection);
          return own === undefined || isIn(own);
        },
      );
    },
    somewhere: (action, connection) => {
      const isOf = ({ grant }: Rule): boolean => grant.connection === undefined || grant.connection === connection;
      return judge(action, isOf, (rule) => isOf(rule) && rule.grant.address === undefined);
    },
  };
}

const EVERYWHERE: Area = { connection: undefined, pattern: undefined };

/** A grant whose addresses are read as the connection in question writes them. */
interface Rule {
  readonly grant: Grant;
  /** Its places; undefined when its text is no pattern there: it allows nothing then, and denies everything. */
  area(connection: string | undefined): Area | undefined;
}

function createRule(grant: Grant, id: string, places: Places): Rule {
  const { connection, address } = grant;
  if (address === undefined) {
    const whole: Area = { connection, pattern: undefined };
    return { grant, area: () => whole };
  }
  const read = new WeakMap<object, Area | undefined>();
  return {
    grant,
    area: (asked) => {
      const name = connection ?? asked;
      const reading = places.reading(name);
      if (!read.has(reading)) {
        const pattern = patternOf(address, id, () => places.pattern(marked(address), name));
        read.set(reading, pattern && { connection, pattern: comparable(pattern, name, places) });
      }
      return read.get(reading);
    },
  };
}

/** Stands for the id while a pattern is parsed: an id can never add levels or wildcards. Small letters separate nothing anywhere. */
const MARK = 'magpieprincipalid';

const marked = (address: string): string => address.replaceAll('${principal.id}', MARK);

function patternOf(address: string, id: string, parse: () => AddressPattern): AddressPattern | undefined {
  try {
    const { scheme, segments } = parse();
    if (!address.includes('${principal.id}')) return { scheme, segments };
    return {
      scheme,
      segments: segments.map((step) =>
        step.type === 'literal' ? { type: 'literal', value: step.value.replaceAll(MARK, id) } : step,
      ),
    };
  } catch {
    return undefined;
  }
}

/** A pattern whose fixed texts are spelled as compared addresses are. */
function comparable(pattern: AddressPattern, connection: string | undefined, places: Places): AddressPattern {
  const { scheme, segments } = pattern;
  const texts = segments.map((step) => (step.type === 'literal' ? step.value : ''));
  const { segments: spelled } = places.comparable({ scheme, segments: texts }, connection);
  return {
    scheme,
    segments: segments.map((step, index) =>
      step.type === 'literal' ? { type: 'literal', value: spelled[index] ?? step.value } : step,
    ),
  };
}

/**
 * Checks the pattern of a grant as it will be read. Throws what `places.pattern` throws. Called at load.
 */
export function checkGrant({ address, connection }: Grant, places: Pick<Places, 'pattern'>): void {
  if (address !== undefined) places.pattern(marked(address), connection);
}
