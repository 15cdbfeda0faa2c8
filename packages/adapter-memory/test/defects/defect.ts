import type { MemoryConfig } from '@magpie/adapter-memory';
import type { AdapterContext, AdapterDefinition, Connection } from '@magpie/contract';
import type { CaseName } from '@magpie/testkit';

export type Definition = AdapterDefinition<MemoryConfig, unknown, unknown>;

/** A defect as an adapter's author might make it, and the cases that must find it. */
export interface Defect {
  readonly defect: string;
  readonly foundBy: readonly CaseName[];
  /** Replaces parts of the definition. */
  readonly definition?: Partial<Definition>;
  /** Replaces what the connection is configured with, or its context. */
  readonly prepare?: (config: MemoryConfig, context: AdapterContext) => readonly [MemoryConfig, AdapterContext];
  /** Replaces methods of the connection. */
  readonly connection?: (sound: Connection, config: MemoryConfig, context: AdapterContext) => Partial<Connection>;
}

/** A signal that never fires. */
export const never: AbortSignal = new AbortController().signal;
