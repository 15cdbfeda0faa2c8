import { type AddressBook, type Event, Rejected } from '@magpie/contract';
import { createDirectParser } from '../../direct.ts';
import { startOutput, startSteps } from '../../expression/budget.ts';
import type { Report } from '../../report.ts';
import type { Answer } from '../../types.ts';
import type { MappedBody } from '../body.ts';
import { rejection } from '../rejection.ts';
import type { Connections, Source } from '../source.ts';

/** What answering events of a route needs of it. */
export interface AnswerContext {
  readonly route: string;
  readonly source: Source;
  readonly connections: Connections;
  readonly book: AddressBook;
  /** Largest body that may be made. */
  readonly maxBodyBytes: number;
}

/** What a route says to an event that it does not take. */
export interface Remark {
  /** Whether it has something to say to an event whose address fits. */
  concerns(event: Event): boolean;
  /** What is said. Throws `Rejected`. */
  answer(event: Event): Answer | undefined;
}

/** Whether what goes back can be sent by the connection of a source; reports when it cannot. */
export function canAnswer({ source }: AnswerContext, report: Report): boolean {
  const { adapter, config, name } = source.connection;
  if (adapter.capabilities(config).sends) return true;
  report.error(`connection "${name}" cannot send, so nothing can go back to it`);
  return false;
}

/**
 * Makes what sends something back to where an event came from; undefined when there is nothing to say. It throws `Rejected`
 * when that cannot be made, or there is nowhere to send it.
 */
export function createAnswers(context: AnswerContext) {
  const { source, connections, route, maxBodyBytes } = context;
  const parse = createDirectParser(connections);
  return (event: Event, make: () => MappedBody | undefined): Answer | undefined => {
    startSteps();
    startOutput(maxBodyBytes);
    try {
      const made = make();
      if (made === undefined) return undefined;
      const { connection, target } = parse({ connection: source.connection.name, ...placeOf(event, context) });
      return { connection, target, ...made };
    } catch (error) {
      throw rejection(route, error);
    }
  };
}

/** The words of where an answer to an event goes. */
function placeOf(event: Event, { source, book }: AnswerContext): Readonly<Record<string, unknown>> {
  const { adapter, name } = source.connection;
  if (adapter.answerTo !== undefined) return adapter.answerTo(event);
  const { scheme, segments } = event.replyTo ?? event.address;
  const known = book.scheme(scheme, adapter.type);
  if (known !== undefined) return known.join(segments);
  throw new Rejected(`the reply address of the event, of the scheme "${scheme}", is none of "${name}"`);
}
