/** AMQP → AMQP: a message is acknowledged once its copy is confirmed. */
import { connect, receive } from './amqp-queue.ts';
import { settings } from './settings.ts';

const { amqpUrl = '', from = '', to = '' } = settings();

const target = await (await connect(amqpUrl)).createConfirmChannel();
await target.assertQueue(to, { durable: true });
const source = await (await connect(amqpUrl)).createChannel();
await receive(source, from, ({ content }, done) => {
  target.publish('', to, content, { persistent: true }, (error) => error || done());
});
console.log('ready');
