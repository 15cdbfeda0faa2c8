/**
 * The adapter contract suite: one set of cases that every adapter passes against a real broker of its protocol.
 *
 * To run it for an adapter, write `packages/adapter-X/test/adapter.contract.test.ts`:
 *
 *     adapterContract({
 *       name: 'mqtt 5 on mosquitto',
 *       definition: mqttAdapter,
 *       limits: { receiveWindow: 50 },                       // as `connection` below configures it
 *       addresses: ['topic:plant/p7/alarm'],                 // one example per scheme at least
 *       unsupported: { 'restart-sending': 'this broker keeps no state' },
 *       async start() {                                      // once: broker, proxy
 *         return {
 *           async prepare(id) {                              // once per case: names nobody else uses, and a peer
 *             return { connection: { url, clientId: id }, source: { topic: `${id}/in` }, otherSource: …, target: …, peer, close };
 *           },
 *           async stop() {},
 *         };
 *       },
 *     });
 *
 * Keys (`connection`, `source`, `target`) are written as a user writes them in YAML; the suite parses them with the
 * adapter's schemas. The peer is an independent client of the broker that publishes to the source and collects what
 * reaches the target. Fault hooks (`cutLink`, `blackHole`, `stopBroker`, …) and `badCredentials` are optional: a case
 * whose hook is missing fails unless `unsupported` names it with a reason, which then stands in the title of the skipped
 * test. `fixture.ts` documents every member, `packages/adapter-memory/test` has the shortest example.
 *
 * Runs in the vitest project `contract`: `vitest run --project contract packages/adapter-X`.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type AnySuite, type ContractCase, withBench } from './bench.ts';
import { type DefinitionCase, definitionCases } from './cases/addresses.ts';
import { faultCases } from './cases/faults.ts';
import { lifecycleCases } from './cases/lifecycle.ts';
import { receiveCases } from './cases/receive.ts';
import { secretCases } from './cases/secrets.ts';
import { sendCases } from './cases/send.ts';
import { settleCases } from './cases/settle.ts';
import { tlsCases } from './cases/tls.ts';
import type { AdapterFixture, AdapterSuite } from './fixture.ts';

export type * from './fixture.ts';

const BENCH_CASES = {
  ...lifecycleCases,
  ...receiveCases,
  ...settleCases,
  ...sendCases,
  ...faultCases,
  ...secretCases,
  ...tlsCases,
} as const;

/** Names of the cases, for `unsupported`. */
export type CaseName = keyof typeof BENCH_CASES | keyof typeof definitionCases;

/** Registers the contract suite of one adapter with vitest. Called at the top level of a test file. */
export function adapterContract<C, S, T>(
  suite: AdapterSuite<C, S, T> & { readonly unsupported?: Readonly<Partial<Record<CaseName, string>>> },
): void {
  checkNames(suite);
  describe(`adapter contract: ${suite.name}`, () => {
    registerDefinitionCases(suite);
    registerBenchCases(suite);
  });
}

/**
 * Runs one case outside vitest's reporting; rejects when the adapter breaks the contract. For tests that plant a defect and
 * expect it to be found.
 */
export async function runContractCase<C, S, T>(suite: AdapterSuite<C, S, T>, name: CaseName): Promise<void> {
  const definitionCase = Object.entries<DefinitionCase>(definitionCases).find(([known]) => known === name)?.[1];
  if (definitionCase) return definitionCase.check(suite);
  const contractCase = Object.entries<ContractCase>(BENCH_CASES).find(([known]) => known === name)?.[1];
  if (!contractCase) throw new Error(`the adapter contract has no case "${name}"`);
  const fixture = await suite.start();
  try {
    await withBench(suite, fixture, name, (bench) => contractCase.run(bench));
  } finally {
    await fixture.stop();
  }
}

function registerDefinitionCases(suite: AnySuite): void {
  describe('definition', () => {
    for (const [name, { title, check }] of Object.entries(definitionCases)) {
      register(suite, name, title, async () => check(suite));
    }
  });
}

function registerBenchCases(suite: AnySuite): void {
  describe('connection', () => {
    let fixture: AdapterFixture | undefined;
    beforeAll(async () => {
      fixture = await suite.start();
    });
    afterAll(() => fixture?.stop());
    for (const [name, contractCase] of Object.entries<ContractCase>(BENCH_CASES)) {
      register(suite, name, contractCase.title, async () => {
        if (!fixture) throw new Error(`${suite.name}: the fixture did not start`);
        await withBench(suite, fixture, name, (bench) => contractCase.run(bench));
      });
    }
  });
}

/** A misspelt name in `unsupported` would silently skip nothing. */
function checkNames({ name, unsupported = {} }: AnySuite): void {
  const known: readonly string[] = [...Object.keys(definitionCases), ...Object.keys(BENCH_CASES)];
  const unknown = Object.keys(unsupported).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  throw new Error(`${name}: unsupported names no case "${unknown.join('", "')}"; the cases are ${known.join(', ')}`);
}

/** A test, or a skipped one whose title carries the reason. */
function register(suite: AnySuite, name: string, title: string, run: () => Promise<void>): void {
  const reasons: Readonly<Record<string, string | undefined>> = suite.unsupported ?? {};
  const reason = reasons[name];
  if (reason === undefined) it(`${title} [${name}]`, run);
  else it.skip(`${title} [${name}] (unsupported: ${reason})`, run);
}
