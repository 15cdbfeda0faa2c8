import { fileURLToPath } from 'node:url';
import { type MemoryBroker, memoryBroker } from '@magpie/adapter-memory';
import { createInbox, type Inbox } from './inbox.ts';
import type { World } from './players.ts';

const JSON_TYPE = { contentType: 'application/json' };

/** The world without brokers: the players use in-memory ones in the same process. */
export function memoryWorld(): World {
  const [floor, chat, erp] = [memoryBroker('floor'), memoryBroker('chat'), memoryBroker('erp')];
  const brokers = [floor, chat, erp];
  return {
    title: 'in-memory brokers',
    configuration: fileURLToPath(new URL('../../gateway/examples/pump-room/memory.yaml', import.meta.url)),
    env: {},
    watched: [
      'floor channel:plant/pump-7/alarm',
      'chat channel:ops/said',
      'floor channel:plant/pump-7/state',
      'http topic:notices/hall-2',
    ],
    players: async () => {
      const commands = listen(floor, 'plant/pump-7/set', (_, body): unknown => JSON.parse(body));
      const display = listen(floor, 'display/+', (_, body) => body);
      const room = listen(chat, 'ops/room', (_, body) => body);
      const queue = listen(erp, '#', (key, body) => ({ key, body }));
      const publish = async (channel: string, body: object): Promise<void> =>
        floor.publish(channel, { body: Buffer.from(JSON.stringify(body)), ...JSON_TYPE });
      return {
        pump: {
          raiseAlarm: (severity, text) => publish('plant/pump-7/alarm', { severity, text }),
          command: commands.take,
          report: (state) => publish('plant/pump-7/state', { state }),
          online: async () => undefined,
          display: display.take,
        },
        person: {
          say: async (text) => chat.publish('ops/said', { body: Buffer.from(text), contentType: 'text/plain' }),
          hear: room.take,
        },
        office: { receive: queue.take },
      };
    },
    stop: async () => {
      for (const broker of brokers) broker.reset();
    },
  };
}

function listen<T>(broker: MemoryBroker, filter: string, read: (channel: string, body: string) => T): Inbox<T> {
  const inbox = createInbox<T>();
  broker.subscribe(filter, ({ channel, body }) => inbox.put(read(channel, Buffer.from(body).toString())));
  return inbox;
}
