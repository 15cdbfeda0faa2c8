import { backlog } from './backlog.ts';
import { idleTargets, routes, topics } from './routes.ts';
import type { Series } from './series.ts';
import { subscribers } from './subscribers.ts';

/** Every series, in the order in which they run: the longest last, should the time run out. */
export const SERIES: readonly Series[] = [routes, idleTargets, topics, subscribers, backlog];
