import type { Target } from '@magpie/routing';
import type { SendPort } from '../connections/send-port.ts';

/** The route and the link that a target uses now. Owned by its delivery queue; a reload replaces both, its parts only read. */
export interface TargetInForce {
  target: Target;
  port: SendPort;
}
