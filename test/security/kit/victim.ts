import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type GatewayHome, type GatewayProcess, gatewayHome } from '../../support/gateway-process.ts';

/** A gateway in a process of its own that is to be attacked. */
export interface Victim {
  readonly home: GatewayHome;
  /** The process that runs now. */
  readonly gateway: GatewayProcess;
  readonly url: string;
  readonly dataDir: string;
  /** Exit code of the process, once it has ended without being asked to; undefined while it runs. */
  readonly end: { readonly code: number | null } | undefined;
  /** Starts it again after it has ended. */
  restart(): Promise<void>;
}

/** What a test may choose about its victim. */
export interface VictimOptions {
  readonly id?: string;
  readonly connections?: object;
  readonly routes?: object;
  /** Keys of the section `http` beside the port. */
  readonly http?: object;
  /** Keys of the section `gateway` beside id and data directory. */
  readonly gateway?: object;
  /** Whether to wait until every connection is up; a hostile server may never let that be. Default: yes. */
  readonly ready?: boolean;
}

/** Starts a gateway with an open API on loopback. It goes with the test. */
export async function startVictim(options: VictimOptions = {}): Promise<Victim> {
  const { id = 'victim', connections = {}, routes = {}, http = {}, gateway: keys = {}, ready = true } = options;
  const home = await gatewayHome(
    JSON.stringify({
      version: 1,
      gateway: { id, dataDir: './data', ...keys },
      http: { port: 0, ...http },
      ...{ connections, routes },
    }),
  );
  onTestFinished(() => home.remove());
  let gateway = await home.start({ ready });
  let end: Victim['end'];
  const watch = (): void => {
    const watched = gateway;
    void watched.ended.then((code) => {
      if (watched === gateway) end = { code };
    });
  };
  watch();
  return {
    home,
    dataDir: join(home.directory, 'data'),
    get gateway() {
      return gateway;
    },
    get url() {
      return gateway.url;
    },
    get end() {
      return end;
    },
    restart: async () => {
      gateway = await home.start({ ready: false });
      end = undefined;
      watch();
    },
  };
}
