import { type Event, encodeBody, markOf } from '@magpie/contract';
import type { Language, Scope } from '../../expression/expression.ts';
import { compileSummary } from '../../pacing/summary.ts';
import type { Report } from '../../report.ts';
import { compileTemplate } from '../../template/template.ts';
import { admit, type Conditions } from '../admission.ts';
import type { RouteKeys } from '../schema.ts';
import { type AnswerContext, canAnswer, createAnswers, type Remark } from './answer.ts';

/** What goes back unless the route has words of its own. */
const DEFAULT_TEXT = 'Not run, because it was said while the gateway was away: ${text}';

/** What is said of those that get no line of their own. */
const DEFAULT_SUMMARY = 'Not run, because they were said while the gateway was away: ${count} more';

/** What compiling the report of late commands needs of its route. */
export interface LateReportContext extends AnswerContext {
  readonly keys: Pick<RouteKeys, 'late' | 'onLate' | 'lateSummary'>;
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
  const { late, onLate, lateSummary } = keys;
  if (lateSummary !== undefined && (late !== 'report' || source.text === undefined))
    return void report.at('lateSummary').error('"lateSummary" is for routes with a text pattern and "late: report"');
  if (late !== 'report') {
    if (onLate === undefined) return null;
    return void report.at('onLate').error(`"onLate" has no meaning with "late: ${late}"`, { atKey: true });
  }
  if (source.text === undefined) {
    if (onLate === undefined) return null;
    const hint = 'say in "from" which texts are commands, such as text: "!{device} {state}"';
    return void report.at('onLate').error('"onLate" is for routes with a text pattern', { hint });
  }
  if (
    onLate === undefined &&
    lateSummary === undefined &&
    !source.connection.adapter.capabilities(source.connection.config).sends
  )
    return null;
  const template = compileTemplate(onLate ?? DEFAULT_TEXT, language, report.at('onLate'));
  const counted = { ...context, source: { ...source, captures: new Map() } };
  const summary = compileSummary(lateSummary ?? DEFAULT_SUMMARY, counted, report.at('lateSummary'));
  if (template === undefined || summary === undefined || !canAnswer(context, report.at('onLate'))) return undefined;
  const answer = createAnswers(context);
  const inTime: Conditions = { ...conditions, late: 'run' };
  return {
    concerns: (event) =>
      markOf(event.origin) === 'late' && admit(inTime, event, () => scope(event)).type === 'admitted',
    answer: (event) => {
      const made = answer(event, () => encodeBody({ text: template.text(scope(event)) }));
      return made && { ...made, more: (count) => summary.body(count, {}) };
    },
  };
}
