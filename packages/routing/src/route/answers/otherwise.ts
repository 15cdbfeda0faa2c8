import { type Event, encodeBody, HOP_LIMIT, markOf } from '@magpie/contract';
import type { SourceEnvironment } from '../../expression/environment.ts';
import type { Scope } from '../../expression/expression.ts';
import { createRouteLanguage } from '../../expression/route-language.ts';
import type { Report } from '../../report.ts';
import { viewOf } from '../../scope.ts';
import { compileTemplate } from '../../template/template.ts';
import { type AnswerContext, canAnswer, createAnswers, type Remark } from './answer.ts';

/** What compiling `otherwise` needs of its route. */
export interface OtherwiseContext extends AnswerContext {
  readonly environment: SourceEnvironment;
  readonly gatewayId: string;
  /** The scope of an event without what its text captures. */
  scope(event: Event): Scope;
}

/**
 * Compiles `otherwise`: what is said to an event that looks like a command of the route, taken or not; null without one, undefined after
 * reporting.
 */
export function compileOtherwise(
  text: string | undefined,
  context: OtherwiseContext,
  report: Report,
): Remark | null | undefined {
  if (text === undefined) return null;
  const { source, environment, book, gatewayId } = context;
  const { text: pattern, kinds, addressCaptures } = source;
  if (pattern === undefined) {
    const hint = 'say in "from" which texts are commands, such as text: "!{device} {state}"';
    return void report.error('"otherwise" is for routes with a text pattern', { hint });
  }
  const language = createRouteLanguage(environment, addressCaptures, undefined, report);
  const template = compileTemplate(text, language, report);
  if (template === undefined || !canAnswer(context, report)) return undefined;
  const answer = createAnswers(context);
  return {
    concerns: (event) => {
      const { origin, via } = event;
      if (!kinds.has(event.kind) || via.includes(gatewayId) || via.length >= HOP_LIMIT) return false;
      if (markOf(origin) !== undefined) return false;
      const { text: said } = viewOf(event, book);
      return said !== undefined && pattern.begins(said);
    },
    answer: (event) => answer(event, () => encodeBody({ text: template.text(context.scope(event)) })),
  };
}
