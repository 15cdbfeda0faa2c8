import { mqtt1Amqp } from './mqtt-amqp.ts';
import type { BenchPath } from './path.ts';

/** Every path, in the order in which they run. */
export const PATHS: readonly BenchPath[] = [mqtt1Amqp];
