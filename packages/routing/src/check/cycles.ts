/** A directed graph over any values. */
export interface Graph<N> {
  readonly nodes: readonly N[];
  successors(node: N): Iterable<N>;
}

/** The number of each node's strongly connected component (Tarjan, without recursion): nodes share one if each reaches the other. */
export function componentsOf<N>({ nodes, successors }: Graph<N>): ReadonlyMap<N, number> {
  const order = new Map<N, number>();
  const low = new Map<N, number>();
  const component = new Map<N, number>();
  const open: N[] = [];

  const enter = (node: N): { node: N; next: Iterator<N> } => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    open.push(node);
    return { node, next: successors(node)[Symbol.iterator]() };
  };
  const lower = (node: N, to: number): unknown => low.set(node, Math.min(low.get(node)!, to));
  const close = (node: N): void => {
    if (low.get(node) !== order.get(node)) return;
    for (let last = open.pop()!; ; last = open.pop()!) {
      component.set(last, order.get(node)!);
      if (last === node) return;
    }
  };

  for (const root of nodes) {
    if (order.has(root)) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { done, value } = top.next.next();
      if (done === true) {
        path.pop();
        close(top.node);
        const parent = path.at(-1);
        if (parent !== undefined) lower(parent.node, low.get(top.node)!);
      } else if (!order.has(value)) path.push(enter(value));
      else if (!component.has(value)) lower(top.node, order.get(value)!);
    }
  }
  return component;
}

/** A shortest path from `from` to `to`, both included; undefined when there is none. */
export function shortestPath<N>(graph: Pick<Graph<N>, 'successors'>, from: N, to: N): readonly N[] | undefined {
  const before = new Map<N, N | undefined>([[from, undefined]]);
  for (const node of before.keys()) {
    if (node === to) return trace(before, to);
    for (const next of graph.successors(node)) if (!before.has(next)) before.set(next, node);
  }
  return undefined;
}

function trace<N>(before: ReadonlyMap<N, N | undefined>, to: N): readonly N[] {
  const path = [to];
  for (let at = before.get(to); at !== undefined; at = before.get(at)) path.unshift(at);
  return path;
}
