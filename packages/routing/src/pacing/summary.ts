import { type Event, encodeBody, Rejected } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { startOutput, startSteps } from '../expression/budget.ts';
import { plainEnvironment } from '../expression/environment.ts';
import { createLanguage, type Language, type Scope } from '../expression/expression.ts';
import { isReserved } from '../expression/names.ts';
import { isList, type PlainValue, toPlain, toText } from '../expression/values.ts';
import { createReport, type Report } from '../report.ts';
import { rejection } from '../route/rejection.ts';
import type { Source } from '../route/source.ts';
import { compileTemplate, type Template } from '../template/template.ts';
import type { Summary } from './types.ts';

/** What compiling pacing needs of its route. */
export interface PacingContext {
  readonly route: string;
  readonly source: Source;
  readonly language: Language;
  /** Largest body that may be made. */
  readonly maxBodyBytes: number;
  /** The scope of an event for expressions of this route. */
  scope(event: Event): Scope;
}

/** The name of the number of messages. */
const COUNT = 'count';

/** Longest value of a capture that a summary names, in characters. */
const LONGEST = 128;

/** The list of what a capture had in the messages of a summary. */
const listOf = (capture: string): string => `${capture}s`;

/** Compiles the text of a summary; undefined after reporting. */
export function compileSummary(text: string, context: PacingContext, report: Report): Summary | undefined {
  const { source, route, maxBodyBytes } = context;
  const captures = [...source.captures.keys()].filter((name) => !isReserved(listOf(name)) && listOf(name) !== COUNT);
  const template = compileText(text, captures.map(listOf), report);
  if (template === undefined) return undefined;
  return {
    values: (event) => {
      startSteps();
      startOutput(maxBodyBytes);
      const scope = context.scope(event);
      return Object.fromEntries(captures.map((name) => [listOf(name), shortText(toPlain(scope[name]))]));
    },
    body: (count, values) => {
      startSteps();
      startOutput(maxBodyBytes);
      try {
        const lists = Object.fromEntries(captures.map((name) => [listOf(name), values[listOf(name)] ?? []]));
        const made = encodeBody({ text: written(template, { ...lists, [COUNT]: BigInt(count) }) });
        if (made === undefined) throw new Rejected('no summary was made');
        return made;
      } catch (error) {
        throw rejection(route, error);
      }
    },
  };
}

/** Compiles against `count` and the lists; a name that is neither is reported with those that are. */
function compileText(text: string, lists: readonly string[], report: Report): Template | undefined {
  const problems: Problem[] = [];
  const template = compileTemplate(text, languageOf(lists), createReport(problems, report.pointer));
  const others = lists.length === 0 ? 'the route captures nothing that could be named' : lists.join(', ');
  const known = `a summary knows ${COUNT}${lists.length === 0 ? `; ${others}` : ` and the values of the captures: ${others}`}`;
  for (const problem of problems)
    report.add({ ...problem, hint: problem.hint === undefined ? known : `${problem.hint} (${known})` });
  return template;
}

function languageOf(lists: readonly string[]): Language {
  const environment = plainEnvironment().registerVariable(COUNT, 'int');
  for (const name of lists) environment.registerVariable(name, 'list<string>');
  return createLanguage({ environment, evaluation: environment }, [COUNT, ...lists]);
}

/** The text of a template; lists are written for people. */
const written = ({ pieces }: Template, scope: Scope): string =>
  pieces.map((piece) => (typeof piece === 'string' ? piece : peopleText(piece.value(scope)))).join('');

const peopleText = (value: PlainValue): string => (isList(value) ? value.map(toText).join(', ') : toText(value));

/** A captured value; the segments of a tail are written as in an address. */
function shortText(value: PlainValue): string {
  const text = isList(value) ? value.map(toText).join('/') : toText(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…`.toWellFormed() : text;
}
