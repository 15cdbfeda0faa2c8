import type { TestProject } from 'vitest/node';
import { openBrokerHub } from './shared-brokers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Port of the hub that starts and describes the brokers shared by a run. */
    magpieBrokerHub?: number;
  }
}

/**
 * Vitest global setup: brokers shared by all test files of a run, each started when the first test asks for it.
 * Listed as `globalSetup` of the projects whose tests call `useSharedBrokers`.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const hub = await openBrokerHub();
  project.provide('magpieBrokerHub', hub.port);
  return () => hub.close();
}
