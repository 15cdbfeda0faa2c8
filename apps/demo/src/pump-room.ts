import { NoBrokers, startBrokerSet } from '@magpie/brokers';
import { startApp } from './app.ts';
import { memoryWorld } from './memory-world.ts';
import type { World } from './players.ts';
import { REAL_USERS, realWorld } from './real-world.ts';
import { play } from './scenario.ts';
import type { Stage } from './stage.ts';

/** The pump room: real brokers, in Docker or installed on this machine; in-memory ones where neither is possible. */
export async function pumpRoom(memory: boolean, say: (line: string) => void): Promise<Stage> {
  const world = memory ? memoryWorld() : await chooseWorld(say);
  const { title, configuration, env, watched } = world;
  return {
    ...{ title, configuration, env },
    play: async (url, hops) => {
      const app = await startApp(url);
      await play({ ...(await world.players()), app, watched }, hops);
      app.close();
    },
    invitation: (url) => [
      `curl -s ${url}/v1/messages -H 'content-type: application/json' -d '{"topic":"notices/hall-2","text":"hello"}'`,
      `npm run -s magpie -- tail --url ${url}`,
      'npm start -- --example devices-as-contacts',
    ],
    stop: () => world.stop(),
  };
}

async function chooseWorld(say: (line: string) => void): Promise<World> {
  try {
    return realWorld(await startBrokerSet({ users: REAL_USERS, progress: (line) => say(`  ${line}`) }));
  } catch (error) {
    if (!(error instanceof NoBrokers)) throw error;
    say(`${error.message}\nThe scenario runs on in-memory brokers instead.`);
    return memoryWorld();
  }
}
