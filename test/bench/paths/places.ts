import type { Site } from './path.ts';

/** Where messages go in: a topic or a queue. */
export const input = ({ name }: Site): string => `${name}/in`;
/** Where they come out. */
export const output = ({ name }: Site): string => `${name}/out`;

/** The built-in user of @magpie/brokers, in the words of the generator. */
export const amqpLogin = (site: Site) => ({
  port: site.port('rabbitmq'),
  user: 'magpie',
  password: 'magpie-secret',
});

/** The gateway's connection to the broker that messages come from, or with `mosquitto2` the one they go to. */
export const floor = (site: Site, role: 'mosquitto' | 'mosquitto2' = 'mosquitto'): object => ({
  type: 'mqtt',
  url: site.url(role),
  clientId: `${site.name}-${role}`,
});

/** The gateway's connection to RabbitMQ with these queues. */
export const erp = (site: Site, queues: readonly string[] = [output(site)]): object => ({
  type: 'amqp',
  url: site.url('rabbitmq'),
  declare: { queues: queues.map((name) => ({ name })) },
});
