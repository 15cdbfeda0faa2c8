import { type Event, encodeBody, markOf } from '@magpie/contract';
import type { Language, Scope } from '../../expression/expression.ts';
import type { Report } from '../../report.ts';
import { compileTemplate } from '../../template/template.ts';
import { admit, type Conditions } from '../admission.ts';
import type { RouteKeys } from '../schema.ts';
import { type AnswerContext, canAnswer, createAnswers, type Remark } from './answer.ts';

/** What goes back unless the route has words of its own. */
const DEFAULT_TEXT = 'Not run, because it was said while the gateway was away: ${text}';

/** What compiling the report of late commands needs of its route. */
export interface LateReportContext extends AnswerContext {
  readonly keys: Pick<RouteKeys, 'late' | 'onLate'>;
  readonly language: Language;
  readonly conditions: Conditions;
  scope(event: Event): Scope;
}

/**
 * Compiles what a command route says to a command that it would have taken in time; null where it says nothing, undefined
 * after reporting.
 */
export function compileLateReport(context: LateReportContext, report: Report): Remark | null | undefined {
  const { keys, language, conditions, source, scope } = context;
  const { late, onLate } = keys;
  if (late !== 'report') {
    if (onLate === undefined) return null;
    return void report.at('onLate').error(`"onLate" has no meaning with "late: ${late}"`, { atKey: true });
  }
  if (source.text === undefined) {
    if (onLate === undefined) return null;
    const hint = 'say in "from" which texts are commands, such as text: "!{device} {state}"';
    return void report.at('onLate').error('"onLate" is for routes with a text pattern', { hint });
  }
  if (onLate === undefined && !source.connection.adapter.capabilities(source.connection.config).sends) return null;
  const template = compileTemplate(onLate ?? DEFAULT_TEXT, language, report.at('onLate'));
  if (template === undefined || !canAnswer(context, report.at('onLate'))) return undefined;
  const answer = createAnswers(context);
  const inTime: Conditions = { ...conditions, late: 'run' };
  return {
    concerns: (event) =>
      markOf(event.origin) === 'late' && admit(inTime, event, () => scope(event)).type === 'admitted',
    answer: (event) => answer(event, () => encodeBody({ text: template.text(scope(event)) })),
  };
}
