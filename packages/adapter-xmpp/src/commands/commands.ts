import type { AdapterContext, OutgoingEvent, SourceRequest } from '@magpie/contract';
import { bareJid, normalJid } from '../codec/jid.ts';
import { type CommandRequest, commandCondition, commandIn, hasCommand, stepElement } from '../codec/stanza/command.ts';
import { filledIn, formElement } from '../codec/stanza/data-form.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { errorAnswer, resultAnswer } from '../codec/stanza/iq.ts';
import type { Intake } from '../receive/intake.ts';
import { commandEvent } from './command-event.ts';
import { type Command, commandsAt, commandsOf } from './command-list.ts';
import { type CommandEnd, commandEnd, DONE } from './command-result.ts';
import { type CommandSession, CommandSessions } from './command-sessions.ts';
import { textOf } from './form-plan.ts';
import { type Filled, readForm } from './form-values.ts';

/** What the commands of a connection need. */
export interface CommandsOptions {
  readonly context: Pick<AdapterContext, 'clock'>;
  readonly intake: Pick<Intake, 'take'>;
  /** The name of the contact of ours that has this JID; undefined for none. */
  contact(jid: string): string | undefined;
  /** Whether a bare JID is a room's: behind its occupants there is nobody that we know. */
  isRoom(jid: string): boolean;
  /** Sends without waiting. */
  post(stanza: Element): void;
}

/** The answer to a request: at once, or later by `post`. */
export type CommandAnswer = Element | 'later';

/** How long a command that nothing answers may take to be stored, and how much longer than its route one is waited for, ms. */
const STORE_MS = 30_000;
const SLACK_MS = 2_000;

/** Longest form that is shown again with what was filled in, and longest text about what is wrong with it, characters. */
const MOST_SHOWN = 16 * 1024;
const MOST_SAID = 2 * 1024;

const NO_ANSWER = 'No answer has come in time.';
const REFUSED = 'The command could not be taken.';

/**
 * The commands (XEP-0050) that people find at our contacts, with forms (XEP-0004) made from the schemas of routes. A step is an
 * iq, which no server keeps or delays. A command runs once: when its form, or the first request of one without a form, is right.
 */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #sessions: CommandSessions;
  #commands: readonly Command[] = [];

  constructor(options: CommandsOptions) {
    this.#options = options;
    this.#sessions = new CommandSessions(options.context.clock);
  }

  /** Sets the sources that commands are among. Called whenever they change; what has been begun goes on. */
  want(sources: readonly SourceRequest[]): void {
    this.#commands = commandsOf(sources);
  }

  /** The commands of a contact that somebody may run. @param from the JID of who asks. */
  listFor(contact: string, from: string): readonly Pick<Command, 'node' | 'title'>[] {
    return commandsAt(this.#commands, contact).filter((command) => this.#permits(command, from));
  }

  /**
   * The answer to a step of a command; undefined for an iq of any other kind.
   * @param repeated whether the server may have delivered it before, in this session.
   */
  answer(iq: Element, repeated: boolean): CommandAnswer | undefined {
    if (!hasCommand(iq)) return undefined;
    const request = attribute(iq, 'type') === 'set' ? commandIn(iq) : undefined;
    if (!request) return errorAnswer(iq, 'modify', 'bad-request');
    const from = normalJid(attribute(iq, 'from') ?? '');
    const contact = this.#options.contact(attribute(iq, 'to') ?? '');
    const command = contact === undefined ? undefined : this.#find(contact, request.node);
    if (contact === undefined || !command) return errorAnswer(iq, 'cancel', 'item-not-found');
    if (!this.#permits(command, from)) return errorAnswer(iq, 'auth', 'forbidden');
    if (request.session !== undefined) return this.#goOn(iq, request, from, contact);
    if (request.action !== 'execute') return badAction(iq, request.action);
    // One that runs at once must not run twice: whoever is told this asks again.
    if (repeated && command.plan.fields.length === 0) return errorAnswer(iq, 'wait', 'recipient-unavailable');
    const session = this.#sessions.begin(from, contact, command);
    if (!session) return errorAnswer(iq, 'wait', 'resource-constraint');
    return command.plan.fields.length === 0 ? this.#submit(iq, session, new Map()) : this.#ask(iq, session);
  }

  /**
   * The iq that ends a running command by what a route answers; undefined when nobody waits for it any more, or that cannot say
   * all of it: then the answer is a message.
   * @param to full JID of whom the answer is for.
   */
  result(id: string, to: string, event: Pick<OutgoingEvent, 'body' | 'type'>): Element | undefined {
    const session = this.#sessions.get(id, to);
    if (!session?.running) return undefined;
    const end = commandEnd(event, session.command.title);
    if (end.isWhole) return this.#completed(session, session.running, end);
    this.#complete(session, end);
    return undefined;
  }

  /** The iq of `result` has been taken by the server. */
  ended(id: string): void {
    this.#sessions.end(id);
  }

  /** The gateway stops. */
  close(): void {
    this.#sessions.clear();
  }

  #find(contact: string, node: string): Command | undefined {
    return commandsAt(this.#commands, contact).find((command) => command.node === node);
  }

  #permits(command: Command, from: string): boolean {
    const person = bareJid(from);
    return person !== '' && !this.#options.isRoom(person) && command.permits(person);
  }

  #goOn(iq: Element, request: CommandRequest, from: string, contact: string): CommandAnswer {
    const { session: id = '', node, action, form } = request;
    const session = this.#sessions.get(id, from);
    if (!session || session.contact !== contact || session.command.node !== node)
      return errorAnswer(iq, 'modify', 'bad-request', commandCondition('bad-sessionid'));
    if (session.running) {
      // What a server repeats is answered once.
      const isSame = attribute(session.running, 'id') === attribute(iq, 'id');
      return isSame ? 'later' : errorAnswer(iq, 'wait', 'unexpected-request');
    }
    const type = form && attribute(form, 'type');
    if (action === 'cancel' || (action !== 'prev' && type === 'cancel')) {
      this.#sessions.end(id);
      return resultAnswer(iq, stepElement({ node, session: id, status: 'canceled' }));
    }
    if (action !== 'execute' && action !== 'complete') return badAction(iq, action);
    if (!form || type !== 'submit') return errorAnswer(iq, 'modify', 'bad-request', commandCondition('bad-payload'));
    return this.#submit(iq, session, filledIn(form));
  }

  #submit(iq: Element, session: CommandSession, filled: Filled): CommandAnswer {
    const { plan, validator } = session.command;
    const { payload, problems } = readForm(plan, filled, validator);
    if (!payload) return this.#ask(iq, session, problems, filled);
    this.#run(iq, session, payload);
    return 'later';
  }

  /** Shows the form; once more with what was filled in, when that was wrong. */
  #ask(iq: Element, session: CommandSession, problems: readonly string[] = [], filled?: Filled): Element {
    const { id, command } = session;
    const { node, title, plan } = command;
    this.#sessions.touch(session);
    // Quotes grow sixfold in XML: what a person could send may be too large to come back, which would cost the link.
    const shown = filled && lengthOf(filled) <= MOST_SHOWN ? filled : undefined;
    const fields = plan.fields.map((field) => ({ ...field, values: shownValues(field, shown) }));
    const form = formElement({ title, instructions: plan.instructions }, fields);
    const note = { type: 'error', text: problems.join('\n').slice(0, MOST_SAID) } as const;
    const step = { node, session: id, status: 'executing', form, ...(problems.length > 0 ? { note } : {}) } as const;
    return resultAnswer(iq, stepElement(step));
  }

  #run(iq: Element, session: CommandSession, payload: Readonly<Record<string, unknown>>): void {
    session.running = iq;
    const { answerWithin } = session.command;
    const error = (text: string): void => this.#complete(session, { note: { type: 'error', text } });
    this.#sessions.keep(session, (answerWithin ?? STORE_MS) + SLACK_MS, () => this.#say(session, iq, NO_ANSWER));
    let isStored = false;
    const stored = (): void => {
      isStored = true;
      if (answerWithin === undefined) this.#complete(session, { note: { type: 'info', text: DONE } });
    };
    const finish = (): void => {
      if (!isStored) error(REFUSED);
    };
    this.#options.intake.take({ stored, finish }, commandEvent(session, iq, payload));
  }

  /** Ends a running command, unless it has ended. */
  #complete(session: CommandSession, end: Pick<CommandEnd, 'note' | 'form'>): void {
    const { running } = session;
    if (running && this.#sessions.end(session.id)) this.#options.post(this.#completed(session, running, end));
  }

  #say(session: CommandSession, iq: Element, text: string): void {
    this.#options.post(this.#completed(session, iq, { note: { type: 'error', text } }));
  }

  #completed({ id, command }: CommandSession, iq: Element, { note, form }: Pick<CommandEnd, 'note' | 'form'>): Element {
    const said = { ...(note ? { note } : {}), ...(form ? { form } : {}) };
    const answer = resultAnswer(iq, stepElement({ node: command.node, session: id, status: 'completed', ...said }));
    answer.attrs.from = attribute(iq, 'to');
    return answer;
  }
}

/** There is one form: nothing is before or behind it. */
function badAction(iq: Element, action: string): Element {
  const isKnown = ['execute', 'complete', 'cancel', 'prev', 'next'].includes(action);
  return errorAnswer(iq, 'modify', 'bad-request', commandCondition(isKnown ? 'bad-action' : 'malformed-action'));
}

const lengthOf = (filled: Filled): number =>
  [...filled.values()].flat().reduce((sum, { length }) => sum + length + '<value></value>'.length, 0);

function shownValues(field: Command['plan']['fields'][number], filled: Filled | undefined): readonly string[] {
  if (field.type === 'text-private') return [];
  if (filled) return filled.get(field.name) ?? [];
  const { fallback, type } = field;
  if (fallback === undefined) return [];
  if (type === 'boolean') return [fallback === true ? '1' : '0'];
  return [fallback].flat().map((value) => textOf(value));
}
