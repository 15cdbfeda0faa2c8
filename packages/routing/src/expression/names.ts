import type { Environment } from '@marcbachmann/cel-js';
import type { Report } from '../report.ts';

/** Words that the language keeps for itself. */
const RESERVED = new Set(
  (
    'as break const continue else false for function if import in let loop namespace null package prototype return true ' +
    'var void while __proto__ dyn has size cel optional google'
  ).split(' '),
);

/** Whether the language keeps a word for itself, so that nothing can have it as its name. */
export const isReserved = (name: string): boolean => RESERVED.has(name);

/** Names the gateway gives meaning to. */
const TAKEN = new Set(['event', 'origin', 'payload', 'text', 'headers', 'headersAll']);

/**
 * Whether a capture or `let` may have this name in expressions; reports why not, with another name, when it may not.
 * `what` is the word for the message: `capture` or `let`.
 */
export function checkName(name: string, what: string, environment: Environment, report: Report): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    const usable = name.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^(\d)/, '_$1');
    const hint = `letters, digits and _ only, for example "${usable === '' || usable === '_' ? 'name' : usable}"`;
    report.error(`"${name}" cannot be the name of a ${what}`, { hint });
    return false;
  }
  if (!RESERVED.has(name) && !TAKEN.has(name) && !environment.hasVariable(name)) return true;
  const owner = TAKEN.has(name) ? 'already names a part of the event' : 'is a word of the expression language';
  report.error(`"${name}" cannot be the name of a ${what}: it ${owner}`, { hint: `for example "${name}Name"` });
  return false;
}
