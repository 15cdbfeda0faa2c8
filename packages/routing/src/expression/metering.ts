import { type ASTNode, Optional } from '@marcbachmann/cel-js';
import { childrenOf, isComprehension } from './ast.ts';
import { spend } from './budget.ts';
import { LINEAR_MATCH, stepsToMatch } from './regular-expressions.ts';
import { stepsToCompare, stepsToRead, stepsToSearch } from './step-costs.ts';

/** Evaluates a node or macro of the language; the three parameters are its own. */
type Evaluate = (evaluator: unknown, self: unknown, context: unknown) => unknown;

/** What the library keeps with a node: how it is evaluated, or what is evaluated in its place. */
interface Hooks {
  readonly meta: {
    readonly evaluate?: Evaluate;
    readonly alternate?: ASTNode;
    readonly macro?: { evaluate: Evaluate };
  };
  setMeta(key: 'evaluate', evaluate: Evaluate): unknown;
}

/**
 * Makes an expression count its steps: each loop before it runs, each operation whose cost depends on its operands. Called
 * once per expression, after it was checked and before it is first evaluated.
 * @returns whether there is anything to count
 */
export function meter(ast: ASTNode): boolean {
  return meterNode(ast, false);
}

function meterNode(node: ASTNode, inLoop: boolean): boolean {
  if (isComprehension(node)) return meterLoop(node);
  const own = meterOperation(node, inLoop);
  const below = childrenOf(node).map((child) => meterNode(child, inLoop));
  return own || below.includes(true);
}

/** Making an error costs as much as so many steps; a loop may make one per element. */
const ERROR_STEPS = 100;

/** The steps of a loop are spent before it begins, so that running out of them is not an error of one element. */
function meterLoop(node: ASTNode): boolean {
  if (node.op !== 'rcall') return false;
  const [, list, [, ...body]] = node.args;
  const steps = 1 + body.reduce((sum, part) => sum + stepsPerPass(part), 0);
  meterNode(list, false);
  for (const part of body) {
    meterNode(part, true);
    onError(part);
  }
  afterEvaluation(list, (value) => spend((steps + (isList(value) ? 0 : KEY_STEPS)) * lengthOf(value)));
  return true;
}

/** What it costs besides to go through a map by its keys. */
const KEY_STEPS = 16;

const isList = (value: unknown): boolean => Array.isArray(value);

/** Nodes whose value is made anew in each pass: integers of any size, lists, maps. The others take one step. */
const NODE_STEPS: ReadonlyMap<string, number> = new Map([
  ...['+', '-', '*', '/', '%'].map((op): [string, number] => [op, 2]),
  ['list', 8],
  ['map', 8],
]);

/** How many steps the nodes take that one pass of a loop evaluates; what a loop inside it repeats is counted by that loop. */
function stepsPerPass(node: ASTNode): number {
  const children = isComprehension(node) && node.op === 'rcall' ? [node.args[1]] : childrenOf(node);
  return children.reduce((sum, child) => sum + stepsPerPass(child), NODE_STEPS.get(node.op) ?? 1);
}

function lengthOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  if (value instanceof Set || value instanceof Map) return value.size;
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0;
}

type Cost = (operands: readonly unknown[]) => number;

/** What functions cost that are not done in a step; their text, list or map is the first operand. */
const FUNCTIONS: ReadonlyMap<string, Cost> = new Map<string, Cost>([
  [LINEAR_MATCH, ([text, pattern]) => stepsToMatch(text, pattern)],
  ...['contains', 'indexOf', 'lastIndexOf'].map((name): [string, Cost] => [
    name,
    ([text, part]) => stepsToSearch(text, part),
  ]),
  ['split', ([text, separator]) => 8 + stepsToSearch(text, separator) + stepsToRead(text) * 32],
  [
    'size',
    ([value]) => (typeof value === 'string' ? stepsToRead(value) * 32 : Array.isArray(value) ? 1 : lengthOf(value) / 4),
  ],
  ['join', ([list, separator]) => (Array.isArray(list) ? stepsToJoin(list, separator) : 0)],
  ['duration', ([text]) => stepsToMakeDuration(text)],
  ['timestamp', () => 40],
  ['string', ([value]) => 8 + stepsToRead(value)],
  ['bytes', ([text]) => 16 + stepsToRead(text) * 8],
  ['base64', ([bytes]) => 16 + stepsToRead(bytes) * 8],
  ['int', () => 8],
  ['type', () => 12],
  ['double', ([text]) => stepsToRead(text) * 4],
  ['jsonExactly', ([bytes]) => (bytes instanceof Uint8Array ? 40 + bytes.length : 0)],
]);

function stepsToJoin(list: readonly unknown[], separator: unknown): number {
  const between = 1 + stepsToRead(separator);
  return list.reduce<number>((sum, part) => sum + between + stepsToRead(part), 0);
}

/** The pattern of the language takes time that grows with the cube of the text. */
const LONGEST_DURATION = 64;

function stepsToMakeDuration(text: unknown): number {
  if (typeof text === 'string' && text.length > LONGEST_DURATION) {
    throw new Error(`duration() takes a text of at most ${LONGEST_DURATION} characters, got ${text.length}`);
  }
  return 90;
}

/** Parts of a time in another time zone. */
const ZONED = /^get[A-Z]/;
const ZONE_STEPS = 2000;

function meterOperation(node: ASTNode, inLoop: boolean): boolean {
  switch (node.op) {
    case 'call':
      return meterCall(node.args[0], node.args[1], inLoop);
    case 'rcall':
      return meterCall(node.args[0], [node.args[1], ...node.args[2]], inLoop);
    case '+':
      if (node.args.some(isShort)) return false;
      afterEvaluation(node, (value) => spend(Array.isArray(value) ? value.length / 4 : stepsToRead(value)));
      return true;
    case '||':
    case '&&':
      if (inLoop) onError(node.args[0]);
      return inLoop;
    case '==':
    case '!=':
    case '<':
    case '<=':
    case '>':
    case '>=':
      if (!inLoop || node.args.some(isShort)) return false;
      onOperands(node.args, 1, ([left, right]) => Math.min(stepsToCompare(left), stepsToCompare(right)));
      return true;
    case '[?]':
      // The library makes an error of a place that a list does not have, and then the empty optional.
      if (inLoop)
        afterEvaluation(node, (value) => spend(value instanceof Optional && !value.hasValue() ? ERROR_STEPS : 0));
      return inLoop;
    case 'in':
      if (!inLoop || node.args[1].op === 'list') return false;
      onOperands(node.args, 1, ([left, right]) => stepsToFind(left, right));
      return true;
    default:
      return false;
  }
}

/** Whether a node is a literal: it cannot grow, and whatever is compared with it is compared no further. */
const isShort = (node: ASTNode): boolean => node.op === 'value';

function stepsToFind(value: unknown, list: unknown): number {
  if (!Array.isArray(list)) return 1;
  return typeof value === 'object' || typeof value === 'string' ? stepsToCompare(list) : list.length;
}

/** Names that take no values but expressions. */
const MACROS = new Set(['has', 'bind']);

function meterCall(name: string, operands: readonly ASTNode[], inLoop: boolean): boolean {
  if (MACROS.has(name) || operands.length === 0) return false;
  const zoned = ZONED.test(name) && operands.length > 1;
  const cost = zoned ? () => ZONE_STEPS : (FUNCTIONS.get(name) ?? (inLoop ? readAll : undefined));
  if (cost === undefined) return false;
  onOperands(operands, 0, cost);
  return true;
}

/** What the call of any function costs in a loop, besides its operands. */
const CALL_STEPS = 3;

const readAll: Cost = (operands) => operands.reduce<number>((sum, operand) => sum + stepsToRead(operand), CALL_STEPS);

/** Spends what an operation will cost as soon as its operands are there; `last` is evaluated last. */
function onOperands(operands: readonly ASTNode[], last: number, cost: Cost): void {
  const values: unknown[] = operands.map(() => undefined);
  for (const [index, operand] of operands.entries()) {
    afterEvaluation(operand, (value) => {
      values[index] = value;
      if (index !== last) return;
      const steps = cost(values);
      values.fill(undefined);
      spend(steps);
    });
  }
}

function afterEvaluation(node: ASTNode, look: (value: unknown) => void): void {
  wrap(node, (evaluate) => (evaluator, self, context) => {
    const value = evaluate(evaluator, self, context);
    look(value);
    return value;
  });
}

/** Counts the errors of a node whose parent may catch them and continue; without steps left the node is not evaluated. */
function onError(node: ASTNode): void {
  wrap(node, (evaluate) => (evaluator, self, context) => {
    spend(0);
    try {
      return evaluate(evaluator, self, context);
    } catch (error) {
      spend(ERROR_STEPS);
      throw error;
    }
  });
}

/** Puts a function around the evaluation of a node, or of what the library evaluates in its place. */
function wrap(node: ASTNode, around: (evaluate: Evaluate) => Evaluate): void {
  const { meta, setMeta } = node as ASTNode & Hooks;
  if (meta.alternate !== undefined) wrap(meta.alternate, around);
  else if (meta.macro !== undefined) meta.macro.evaluate = around(meta.macro.evaluate);
  else if (meta.evaluate !== undefined) setMeta.call(node, 'evaluate', around(meta.evaluate));
  else throw new Error('the expression library keeps the evaluation of its nodes elsewhere');
}
