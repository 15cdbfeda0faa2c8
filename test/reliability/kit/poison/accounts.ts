import type { World } from '../world.ts';
import type { Arrival } from './ends.ts';
import type { PoisonLine } from './lines.ts';
import type { Poison } from './poison.ts';

/** A dead letter; `id` is the sender's own id of the message. */
export interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly error: string;
  readonly message: string;
}

/** Reads all dead letters of a gateway, in their order; each is looked at once. */
export function letterReader(world: Pick<World, 'gateway'>): () => Promise<readonly Letter[]> {
  const known = new Map<string, Letter>();
  const get = async (path: string): Promise<unknown> => (await fetch(world.gateway.url + path)).json();
  return async () => {
    const found: Letter[] = [];
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = (await get(`/v1/dead-letters?limit=200${after && `&after=${after}`}`)) as {
        readonly deadLetters: readonly { readonly id: string }[];
        readonly next?: string;
      };
      for (const { id } of page.deadLetters) {
        const letter = known.get(id) ?? letterIn(await get(`/v1/dead-letters/${id}`));
        known.set(id, letter);
        found.push(letter);
      }
      after = page.next;
    }
    return found;
  };
}

function letterIn(shown: unknown): Letter {
  const { event, ...letter } = shown as Letter & { readonly event: { readonly id?: string } };
  return { ...letter, id: String(event.id) };
}

interface Entry {
  readonly line: PoisonLine;
  readonly poison: Poison;
  readonly arrivals: Arrival[];
  readonly dead: Letter[];
  refused: boolean;
}

/** What became of every poison message. */
export interface Accounts {
  sent(id: string, line: PoisonLine, poison: Poison): void;
  refused(id: string): void;
  arrived(arrival: Arrival): void;
  /** Takes the dead letters as they are now. */
  dead(letters: readonly Letter[]): void;
  /** Messages without an end. */
  open(): readonly string[];
  /** Messages that came too late for their target. */
  late(): number;
  /** What is wrong, in sentences; empty when each message has exactly one valid end. */
  problems(): readonly string[];
  /** How many came to which end, by line. */
  totals(): readonly object[];
}

/** Opens the books. */
export function createAccounts(): Accounts {
  const entries = new Map<string, Entry>();
  const strangers: string[] = [];
  const endless = ({ poison, arrivals, dead, refused }: Entry): boolean =>
    arrivals.length + dead.length === 0 && !refused && poison.ends !== 'late';
  return {
    sent: (id, line, poison) => void entries.set(id, { line, poison, arrivals: [], dead: [], refused: false }),
    refused: (id) => {
      entries.get(id)!.refused = true;
    },
    arrived: (arrival) => {
      const entry = entries.get(arrival.id);
      if (entry) entry.arrivals.push(arrival);
      else strangers.push(`something unknown arrived at ${arrival.address}: ${arrival.id}`);
    },
    dead: (all) => {
      for (const { dead } of entries.values()) dead.length = 0;
      for (const letter of all) {
        const entry = entries.get(letter.id);
        if (entry) entry.dead.push(letter);
        else strangers.push(`a dead letter of something unknown: ${letter.id} ${letter.message}`);
      }
    },
    open: () => [...entries].filter(([, entry]) => endless(entry)).map(([id, entry]) => describe(id, entry)),
    late: () =>
      [...entries.values()].filter(({ poison, arrivals }) => poison.ends === 'late' && arrivals.length === 0).length,
    problems: () => [...strangers, ...[...entries].flatMap(([id, entry]) => problemsOf(describe(id, entry), entry))],
    totals: () =>
      [...Map.groupBy(entries.values(), ({ line }) => line.name)].map(([line, all]) => ({
        line,
        sent: all.length,
        arrived: all.filter(({ arrivals }) => arrivals.length > 0).length,
        'dead letters': all.filter(({ dead }) => dead.length > 0).length,
        refused: all.filter(({ refused }) => refused).length,
      })),
  };
}

const describe = (id: string, { line, poison }: Entry): string => `${id} (${poison.what}; ${line.name})`;

function problemsOf(name: string, { line, poison, arrivals, dead, refused }: Entry): readonly string[] {
  const wrong: string[] = [];
  // A refused message may be among the dead letters as well.
  const endings = refused ? 1 + arrivals.length + Math.max(0, dead.length - 1) : arrivals.length + dead.length;
  const late = poison.ends === 'late';
  if (late ? arrivals.length > 1 || dead.length > 0 || refused : endings !== 1)
    wrong.push(`${arrivals.length} times arrived, ${dead.length} dead letters, refused: ${refused}`);
  const expected = poison.body.length > line.fits && poison.ends === 'arrives' ? 'given up' : poison.ends;
  const ended = arrivals.length > 0 ? 'arrives' : 'given up';
  if (expected !== 'either' && !late && ended !== expected)
    wrong.push(`expected ${expected}: ${dead[0]?.message ?? ''}`);
  const [arrival] = arrivals;
  if (line.same && arrival && !arrival.body.equals(poison.body)) {
    wrong.push(
      `changed from ${poison.body.length} to ${arrival.body.length} bytes: ${arrival.body.toString('hex', 0, 60)}`,
    );
  }
  if (arrival?.address.includes('poison/out/') && arrival.address.split('/').length !== 3) {
    wrong.push(`came out at another level: ${arrival.address}`);
  }
  for (const { reason, error, message } of dead) {
    if (!reason || !error || !message) wrong.push(`a dead letter without a reason: ${reason}, ${error}, ${message}`);
  }
  return wrong.map((sentence) => `${name}: ${sentence}`);
}
