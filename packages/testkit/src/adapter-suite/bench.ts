import type { Sink } from '@magpie/contract';
import { vi } from 'vitest';
import type { AdapterFixture, AdapterSite, AdapterSuite, Keys } from './fixture.ts';
import { createLink, type Link } from './link.ts';

/** A suite whose parameter types are forgotten, as the cases see it. */
// biome-ignore lint/suspicious/noExplicitAny: the cases treat all adapters alike; each definition checks its own parsed types.
export type AnySuite = AdapterSuite<any, any, any>;

/** One case of the contract that needs a connection. */
export interface ContractCase {
  /** What holds, as a sentence. */
  readonly title: string;
  run(bench: Bench): Promise<void>;
}

/** A group of cases by name; the names are what `unsupported` refers to. */
export type CaseGroup = Readonly<Record<string, ContractCase>>;

/** What a case works with: the ground prepared for it and the tools to use it. Everything is taken down after the case. */
export interface Bench {
  readonly suite: AnySuite;
  readonly site: AdapterSite;
  /** Longest any operation may take, ms. */
  readonly deadline: number;
  /** A new connection of the site (or with other keys), not yet connected. */
  link(keys?: Keys): Link;
  /** A connected one. */
  connected(): Promise<Link>;
  /** A connected one that receives from the site's source. */
  receiving(sink: Sink): Promise<Link>;
  /** Publishes texts to the source, in order. */
  publish(...texts: readonly string[]): Promise<void>;
  /** Texts that have reached the target. */
  arrived(): string[];
  /** Waits until the condition holds, at most the deadline. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** The hook of the site, or an error that tells to offer it or to declare the case unsupported. */
  hook<N extends 'cutLink' | 'blackHole' | 'restoreLink' | 'stopBroker' | 'startBroker'>(name: N): () => Promise<void>;
}

/** Prepares a site, runs one case on it and takes everything down again, whatever the case did. */
export async function withBench(
  suite: AnySuite,
  fixture: AdapterFixture,
  name: string,
  run: (bench: Bench) => Promise<void>,
): Promise<void> {
  const site = await fixture.prepare(`${name}-${Math.random().toString(36).slice(2, 8)}`);
  const links: Link[] = [];
  try {
    await run(createBench(suite, name, site, links));
  } finally {
    await site.restoreLink?.();
    await Promise.all(links.map((link) => link.close()));
    await site.close();
  }
}

function createBench(suite: AnySuite, name: string, site: AdapterSite, links: Link[]): Bench {
  const deadline = suite.limits.deadline ?? 10_000;
  const link = (keys: Keys = site.connection): Link => {
    const made = createLink(suite.definition, site, keys, deadline);
    links.push(made);
    return made;
  };
  const connected = async (): Promise<Link> => {
    const made = link();
    await made.connect();
    return made;
  };
  return {
    suite,
    site,
    deadline,
    link,
    connected,
    async receiving(sink) {
      const made = await connected();
      await made.receive(sink);
      return made;
    },
    async publish(...texts) {
      for (const text of texts) await site.peer.publish({ body: Buffer.from(text) });
    },
    arrived: () => site.peer.received().map(({ body }) => Buffer.from(body).toString()),
    until: (what, condition) => until(what, condition, deadline),
    hook(hookName) {
      const hook = site[hookName];
      if (!hook) {
        throw new Error(
          `the fixture offers no ${hookName}: offer it, or declare unsupported: { '${name}': '<reason>' }`,
        );
      }
      return () => hook.call(site);
    },
  };
}

function until(what: string, condition: () => boolean, timeout: number): Promise<void> {
  const check = (): void => {
    if (!condition()) throw new Error(`expected within ${timeout} ms: ${what}`);
  };
  return vi.waitFor(check, { timeout, interval: 10 });
}
