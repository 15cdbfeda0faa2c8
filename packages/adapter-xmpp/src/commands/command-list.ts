import { type AddressPattern, matchesPattern, type SourceRequest } from '@magpie/contract';
import { z } from 'zod';
import { access } from '../access.ts';
import { commandAddress, commandAddresses } from '../codec/addresses.ts';
import type { XmppConfig } from '../config.ts';
import type { XmppSource } from '../route-keys.ts';
import { type FormPlan, NoForm, planForm } from './form-plan.ts';

/** A command that people find at contacts of ours. */
export interface Command {
  readonly node: string;
  /** For people. */
  readonly title: string;
  readonly pattern: AddressPattern;
  readonly plan: FormPlan;
  readonly validator: z.ZodType | undefined;
  /** How long an answer may take, ms; undefined: the command is done once it is stored. */
  readonly answerWithin: number | undefined;
  /** Whether a bare JID may run it. */
  permits(person: string): boolean;
}

type Sources = readonly SourceRequest[];

/** The commands of the sources of a connection. Called whenever they change. */
export const commandsOf = (sources: Sources): readonly Command[] =>
  sources.flatMap((source) => {
    const { command, title } = optionsOf(source);
    return command === undefined ? [] : [commandOf(source, command, title)];
  });

/** The commands of one contact. */
export const commandsAt = (commands: readonly Command[], contact: string): readonly Command[] =>
  commands.filter(({ pattern, node }) => matchesPattern(pattern, commandAddress(contact, node)));

function commandOf({ pattern, terms = {} }: SourceRequest, node: string, title: string | undefined): Command {
  const { allow, schema, answerWithin } = terms;
  const plan = schema === undefined ? NOTHING_ASKED : planForm(schema);
  return {
    ...{ node, pattern, plan, answerWithin },
    title: title ?? plan.title ?? node,
    validator: schema && z.fromJSONSchema(schema),
    permits: (person) => allow === undefined || allow.some((entry) => access.permits(entry, { from: person })),
  };
}

const NOTHING_ASKED: FormPlan = { fields: [], constants: {} };

/** Why commands cannot be as they are: of which no form can be made, or two of one name at one contact. For `magpie check`. */
export const commandObjections = (_: XmppConfig, sources: Sources): readonly (string | undefined)[] =>
  sources.map((source, index) => {
    const { command } = optionsOf(source);
    if (command === undefined) return undefined;
    const isTwice = sources
      .slice(0, index)
      .some((other) => optionsOf(other).command === command && meet(source, other));
    if (isTwice)
      return `another route has the command "${command}" of the same contact: a person would not know which one runs`;
    return formProblem(source);
  });

function formProblem({ terms }: SourceRequest): string | undefined {
  if (terms?.schema === undefined) return undefined;
  try {
    planForm(terms.schema);
    return undefined;
  } catch (error) {
    if (error instanceof NoForm) return `no form can be made from payloadSchema, at ${error.message}`;
    throw error;
  }
}

/** Whether two commands can be at the same contact. */
function meet({ pattern: a }: SourceRequest, { pattern: b }: SourceRequest): boolean {
  const [one, other] = [a.segments[0], b.segments[0]];
  return one?.type !== 'literal' || other?.type !== 'literal' || one.value === other.value;
}

const optionsOf = ({ pattern, options }: SourceRequest): Pick<XmppSource, 'command' | 'title'> =>
  pattern.scheme === commandAddresses.scheme ? (options as XmppSource) : {};
