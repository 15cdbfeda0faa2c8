import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker, RabbitmqBroker } from '@magpie/brokers';
import { type TcpProxy, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import type { ConnectionName } from '../clients/paths.ts';
import type { Random } from '../settings.ts';

/** A fault, and how it is repaired. */
export interface Fault {
  readonly name: string;
  /** The connection of the gateway that it hits. */
  readonly hits: ConnectionName;
  /** How long it lasts, in ms. */
  readonly lasts: number;
  inject(): Promise<void>;
  heal(): Promise<void>;
}

/** SIGKILL; healed by starting it again on the same data. */
export const killed = (broker: Broker, hits: ConnectionName, lasts: number): Fault => ({
  name: `${broker.name} killed`,
  hits,
  lasts,
  inject: () => broker.kill(),
  heal: () => broker.restart(),
});

/** SIGSTOP: its kernel still takes connections and bytes, nothing answers. */
export const stopped = (broker: Broker, hits: ConnectionName, lasts: number): Fault => ({
  name: `${broker.name} stopped`,
  hits,
  lasts,
  inject: () => broker.pause(),
  heal: async () => broker.resume(),
});

/** The cable is pulled: neither side learns of it. */
export const blackHoled = (proxy: TcpProxy, hits: ConnectionName, lasts: number): Fault => ({
  name: `line to ${hits} swallows all`,
  hits,
  lasts,
  inject: async () => proxy.blackHole(true),
  heal: async () => proxy.blackHole(false),
});

/** TCP resets, one after the other at random moments. */
export const resets = (proxy: TcpProxy, hits: ConnectionName, count: number, random: Random): Fault => ({
  name: `${count} resets of ${hits}`,
  hits,
  lasts: 0,
  inject: async () => {
    for (let reset = 0; reset < count; reset++) {
      proxy.reset();
      await sleep(random.between(50, 900));
    }
  },
  heal: async () => undefined,
});

/** Tries to catch a queue under load at a moment when it is empty. */
const DELETE_TRIES = 200;

/**
 * A queue is deleted, and declared again. It is deleted at a moment when it is empty: what it holds is confirmed, and is lost
 * by whoever deletes it, not by the gateway. RabbitMQ also confirms what is on its way into a queue that is just being deleted:
 * with `line`, the gateway's link to it, nothing passes at that moment.
 */
export function queueDeleted(broker: RabbitmqBroker, queue: string, lasts: number, line?: TcpProxy): Fault {
  const withChannel = async (use: (channel: amqp.Channel) => Promise<unknown>): Promise<void> => {
    const connection = await amqp.connect(broker.urls.plain);
    const channel = await connection.createChannel();
    channel.on('error', () => undefined); // the refused call rejects with the same error
    try {
      await use(channel);
    } finally {
      await connection.close();
    }
  };
  const deleteEmpty = async (): Promise<void> => {
    for (let left = DELETE_TRIES; ; left--) {
      try {
        return await withChannel((channel) => channel.deleteQueue(queue, { ifEmpty: true }));
      } catch (error) {
        if (left === 0 || !String(error).includes('not empty')) throw error;
      }
    }
  };
  return {
    name: `queue ${queue} deleted`,
    hits: 'erp',
    lasts,
    inject: async () => {
      line?.blackHole(true);
      await deleteEmpty().finally(() => line?.blackHole(false));
    },
    heal: () => withChannel((channel) => channel.assertQueue(queue, { durable: true })),
  };
}

/** RabbitMQ's memory alarm: it stops reading from those who publish. */
export const memoryAlarm = (broker: RabbitmqBroker, lasts: number): Fault => ({
  name: 'rabbitmq memory alarm',
  hits: 'erp',
  lasts,
  inject: async () => void (await broker.control('set_vm_memory_high_watermark', '0.00001')),
  heal: async () => void (await broker.control('set_vm_memory_high_watermark', '0.6')),
});

/** Bytes by chance in the middle of what the broker says, as a broken network card or a hostile broker would send them. */
export const garbled = (proxy: TcpProxy, hits: ConnectionName, random: Random): Fault => ({
  name: `garbage from ${hits}`,
  hits,
  lasts: 0,
  inject: async () => {
    const before = proxy.accepted;
    proxy.inject(random.bytes(random.between(16, 256)));
    await waitFor(() => proxy.accepted > before, { what: `a new link of ${hits}`, timeout: 30_000 });
  },
  heal: async () => undefined,
});
