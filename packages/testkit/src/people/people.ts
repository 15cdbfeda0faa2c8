import { fileURLToPath } from 'node:url';
import { type Program, requirePython, startProgram } from '@magpie/brokers';
import type { PersonEvent } from './answers.ts';
import { Person, type PersonOptions, type PersonServer } from './person.ts';

/** People with XMPP clients of another library than the product's, slixmpp, in one process of Python. */
export interface People {
  /**
   * Logs in with STARTTLS, sends presence and fetches the roster, unless the options say otherwise.
   * @param name local part of the JID; the password is the name followed by `-secret` unless the options give another.
   * @throws PersonError when that is refused, or takes 20 s.
   */
  login(server: PersonServer, name: string, options?: PersonOptions): Promise<Person>;
  /** Says goodbye for everybody and ends the process. */
  close(): Promise<void>;
}

/** What a person asked for and was refused: by a server, by another client, or by the library. */
export class PersonError extends Error {
  override readonly name = 'PersonError';
  /** Such as `item-not-found`; `timeout` for no answer; `failed` for what the library throws. */
  readonly condition: string;
  /** Such as `cancel`. */
  readonly type: string | null;

  constructor(what: string, { condition, type, text }: Refusal) {
    super(`${what}: ${condition}${text ? ` (${text})` : ''}`);
    this.condition = condition;
    this.type = type;
  }
}

interface Refusal {
  readonly condition: string;
  readonly type: string | null;
  readonly text: string | null;
}

/** A line of the program's output: an answer, or an event. */
type Line =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Refusal }
  | (PersonEvent & { readonly who: string });

const PROGRAM = fileURLToPath(new URL('./people.py', import.meta.url));

/**
 * Starts the process that people's clients run in; its protocol of JSON lines is described in people.py. Called once per test
 * file, in `beforeAll`; it takes about a second.
 * @throws Error when Python or slixmpp is missing: `ensureBrokers` installs them.
 */
export async function startPeople(): Promise<People> {
  const people = new Map<string, Person>();
  const asked = new Map<number, { readonly what: string } & PromiseWithResolvers<unknown>>();
  let last = 0;
  let program: Program | undefined;

  const hear = (line: Line): void => {
    if ('event' in line) {
      people.get(line.who)?.hear(line);
      return;
    }
    const waiting = asked.get(line.id);
    asked.delete(line.id);
    if ('error' in line) waiting?.reject(new PersonError(waiting.what, line.error));
    else waiting?.resolve(line.result);
  };

  const ask = (who: string, what: string, parameters: object = {}): Promise<unknown> => {
    last += 1;
    const answer = { what: `${who} ${what}`, ...Promise.withResolvers<unknown>() };
    asked.set(last, answer);
    program?.write(`${JSON.stringify({ id: last, who, do: what, with: parameters })}\n`);
    return answer.promise;
  };

  program = await startProgram(requirePython(), [PROGRAM], {
    env: { PYTHONDONTWRITEBYTECODE: '1' },
    input: true,
    onStdout: lines((line) => hear(JSON.parse(line))),
  });
  void program.exited().then(() => {
    const text = program?.stderr().trim() ?? '';
    for (const { what, reject } of asked.values()) reject(new Error(`${what}: the program has ended: ${text}`));
  });

  return {
    login: async (server, name, options = {}) => {
      const who = `${name}-${people.size}`;
      const person = new Person(server, name, (what, parameters) => ask(who, what, parameters));
      people.set(who, person);
      await person.login(options);
      return person;
    },
    close: async () => {
      await Promise.allSettled([...people.values()].map((person) => person.logout()));
      await program.stop();
    },
  };
}

/** Takes text in pieces and calls with each whole line. */
function lines(take: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) take(line);
  };
}
