import { startOutput, startSteps } from '../expression/budget.ts';
import type { Report } from '../report.ts';
import { rejection } from '../route/rejection.ts';
import { compileTemplate } from '../template/template.ts';
import type { PacingContext } from './summary.ts';
import type { ChangeFilter } from './types.ts';

/** Compiles `onlyOnChange`; undefined after reporting. */
export function compileChangeFilter(
  keys: boolean | string,
  context: PacingContext,
  report: Report,
): ChangeFilter | undefined {
  if (typeof keys === 'boolean') return {};
  const { language, route, maxBodyBytes } = context;
  const template = compileTemplate(keys, language, report);
  if (template === undefined) return undefined;
  if (template.constant !== undefined) {
    const hint = `write "\${${keys}}" if the value of this expression is meant, or true for the body`;
    return void report.error('this is the same for every event, so only the first one would be sent', { hint });
  }
  return {
    value: (event) => {
      startSteps();
      startOutput(maxBodyBytes);
      try {
        return template.text(context.scope(event));
      } catch (error) {
        throw rejection(route, error);
      }
    },
  };
}
