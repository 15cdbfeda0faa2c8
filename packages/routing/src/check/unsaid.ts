import type { Expression } from '../expression/expression.ts';
import { createReport, isRecord } from '../report.ts';
import type { Route } from '../route/route.ts';
import { tokenize } from '../template/tokens.ts';

/**
 * What events of a route may say besides their body and what each of its targets leaves unsaid, in the order of `to`: the names of
 * the adapter's statements. A target says one when the route reads a field in which it stands: in a template of the target, in a
 * `let`, or in `when`. Pure; called by `magpie check` only.
 */
export function unsaidBy({ source, keys, language, pointer }: Route): readonly (readonly string[])[] {
  const { connection, kinds, request } = source;
  const statements = connection.adapter.statements?.(request.options, kinds) ?? [];
  const entries = Array.isArray(keys.to) ? keys.to : [keys.to];
  if (statements.length === 0) return entries.map(() => []);
  const silent = createReport([], pointer);
  const pathsOf = (sources: Iterable<string>): string[] =>
    [...sources].flatMap((each) => {
      const expression = language.compile(each, silent);
      return expression === undefined ? [] : fieldsOf(expression);
    });
  const shared = pathsOf([...(keys.when === undefined ? [] : [keys.when]), ...textsIn(keys.let)]);
  return entries.map((entry) => {
    const read = [...shared, ...pathsOf([...textsIn(entry)].flatMap(expressionsIn))];
    return statements
      .filter(
        ({ fields }) => !fields.some((field) => read.some((path) => isPartOf(field, path) || isPartOf(path, field))),
      )
      .map(({ name }) => name);
  });
}

/** The fields of the event that an expression reads, such as `origin.reply.id`. */
const fieldsOf = ({ source, operands }: Expression): string[] =>
  operands.map(({ start }) => {
    const chain = /^\w+(?:\.\??\w+|\["\w+"\])*/.exec(source.slice(start))?.[0] ?? '';
    return chain
      .replace(/\.\?|\["/g, '.')
      .replaceAll('"]', '')
      .replace(/^event\./, '');
  });

const isPartOf = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}.`);

const expressionsIn = (text: string): string[] => {
  const tokens = tokenize(text);
  return 'length' in tokens ? tokens.flatMap((token) => (token.type === 'expression' ? [token.source] : [])) : [];
};

/** Every text in a value of the configuration. */
function* textsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (Array.isArray(value)) for (const each of value) yield* textsIn(each);
  else if (isRecord(value)) for (const each of Object.values(value)) yield* textsIn(each);
}
