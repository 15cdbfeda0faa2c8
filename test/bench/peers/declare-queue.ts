import amqp from 'amqplib';

/** Declares a durable queue, and binds it to `amq.topic` where a key is given. */
export async function declareQueue(url: string, queue: string, routingKey?: string): Promise<void> {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true });
  if (routingKey !== undefined) await channel.bindQueue(queue, 'amq.topic', routingKey);
  await connection.close();
}
