import type { AddressPattern, PatternSegment } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import type { AddressTemplate } from '../address/template.ts';
import type { Matcher } from '../matcher.ts';
import { createReport } from '../report.ts';
import type { Route } from '../route/route.ts';
import type { CompiledTarget } from '../route/target.ts';
import { componentsOf, type Graph, shortestPath } from './cycles.ts';

/** Everything received from one connection under one scheme; stands between routes where addresses cannot be compared. */
interface Inlet {
  readonly type: 'inlet';
  readonly routes: Route[];
}

interface RouteNode {
  readonly type: 'route';
  readonly route: Route;
}

type Node = Inlet | RouteNode;

/**
 * Finds routes that feed each other in a loop through a connection on which the list of passed gateways is lost: nothing
 * would stop such a message at run time. Loops whose links all carry metadata end at the guard in `admit`. Linear in the
 * number of routes and of pairs that really meet.
 * @returns names of the connections through which such loops lead
 */
export function checkLoops(
  routes: readonly Route[],
  matcher: Matcher<Route>,
  problems: Problem[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const unmarked = routes.flatMap((route) =>
    route.targets.filter((target) => losesMetadata(target)).map((target) => ({ route, target })),
  );
  if (unmarked.length === 0) return found;
  const flow = createFlow(routes, matcher);
  const components = componentsOf(flow.graph);
  for (const { route, target } of unmarked) {
    const node = flow.nodeOf(route);
    const back = [...flow.from(target)].find((next) => components.get(next) === components.get(node));
    if (back === undefined || route.keys.allowEcho) continue;
    const path = shortestPath(flow.graph, back, node) ?? [];
    const loop = [route, ...path.flatMap((step) => (step.type === 'route' ? [step.route] : []))];
    if (loop[1]?.keys.allowEcho === true) continue;
    reportLoop(loop, target, problems);
    found.add(target.connection.name);
  }
  return found;
}

/**
 * Warns where messages come in by a connection without marks and go on to it, through one route or several: another gateway
 * that sends them back makes them run without end, though each file by itself is free of loops. One warning per connection,
 * none where `loops` names it. Linear in the routes for each such connection.
 */
export function checkAmplification(
  routes: readonly Route[],
  matcher: Matcher<Route>,
  loops: ReadonlySet<string>,
  problems: Problem[],
): void {
  const bySource = Map.groupBy(routes, ({ source }) => source.connection);
  const { nodeOf, graph } = createFlow(routes, matcher);
  for (const [connection, own] of bySource) {
    if (connection.adapter.capabilities(connection.config).metadata || loops.has(connection.name)) continue;
    const accepting = own.filter(({ keys }) => !keys.allowEcho);
    const returning = reachable(graph, accepting.map(nodeOf)).flatMap(({ keys, targets }) =>
      keys.allowEcho ? [] : targets.filter((target) => target.connection === connection),
    );
    const [first] = returning;
    if (first !== undefined) reportAmplification(connection.name, first, returning.length, problems);
  }
}

/** The routes that messages of some routes may come to, themselves included. */
function reachable(graph: Graph<Node>, starts: readonly Node[]): readonly Route[] {
  const seen = new Set(starts);
  for (const node of seen) for (const next of graph.successors(node)) seen.add(next);
  return [...seen].flatMap((node) => (node.type === 'route' ? [node.route] : []));
}

function reportAmplification(name: string, { pointer }: CompiledTarget, targets: number, problems: Problem[]): void {
  const copies = targets === 1 ? '' : `, multiplied by up to ${targets} targets in each round`;
  const message = `what comes from "${name}" goes on to "${name}", which carries no mark of the gateways passed: if another gateway sends it back, messages run without end${copies}`;
  const hint = 'use a link that carries headers, or accept it with "allowEcho: true" where nothing sends back';
  createReport(problems, pointer).warn(message, { hint });
}

const losesMetadata = ({ connection: { adapter, config } }: CompiledTarget): boolean =>
  !adapter.capabilities(config).metadata;

function reportLoop(loop: readonly Route[], { pointer, target }: CompiledTarget, problems: Problem[]): void {
  const names = loop.map(({ id }) => `"${id}"`).join(' → ');
  const message = `messages would loop, ${names}, and "${target.connection}" carries no mark to stop them`;
  const hint = 'narrow the addresses so that they do not meet, or accept it with "allowEcho: true" on this route';
  createReport(problems, pointer).error(message, { hint });
}

interface Flow {
  readonly graph: Graph<Node>;
  nodeOf(route: Route): Node;
  /** Where the messages of a target may come in again. */
  from(target: CompiledTarget): Iterable<Node>;
}

function createFlow(routes: readonly Route[], matcher: Matcher<Route>): Flow {
  const nodes = new Map(routes.map((route): [Route, RouteNode] => [route, { type: 'route', route }]));
  const inlets = new Map<string, Map<string, Inlet>>();
  for (const route of routes) {
    const { connection, pattern } = route.source;
    const schemes = inlets.get(connection.name) ?? new Map<string, Inlet>();
    inlets.set(connection.name, schemes);
    const inlet = schemes.get(pattern.scheme) ?? { type: 'inlet', routes: [] };
    schemes.set(pattern.scheme, inlet);
    inlet.routes.push(route);
  }
  const nodeOf = (route: Route): Node => nodes.get(route)!;
  const from = function* ({ connection: { name }, address }: CompiledTarget): Generator<Node> {
    for (const route of matcher.overlapping(name, patternOf(address))) yield nodeOf(route);
    for (const [scheme, inlet] of inlets.get(name) ?? []) if (scheme !== address.scheme.scheme) yield inlet;
  };
  const successors = (node: Node): Iterable<Node> =>
    node.type === 'inlet' ? node.routes.map(nodeOf) : node.route.targets.flatMap((target) => [...from(target)]);
  const all: Node[] = [...nodes.values(), ...[...inlets.values()].flatMap((schemes) => [...schemes.values()])];
  return { graph: { nodes: all, successors }, nodeOf, from };
}

/** Every address a template can give: an expression is any one segment, a spliced tail any number. */
function patternOf({ scheme, steps }: AddressTemplate): AddressPattern {
  const segments: PatternSegment[] = [];
  for (const step of steps) {
    if (step.type === 'splice') return { scheme: scheme.scheme, segments: [...segments, { type: 'many' }] };
    const fixed = step.pieces.every((piece) => typeof piece === 'string');
    segments.push(fixed ? { type: 'literal', value: step.pieces.join('') } : { type: 'one' });
  }
  return { scheme: scheme.scheme, segments };
}
