/** HTTP → MQTT QoS 1: 202 once the PUBACK has come in. */
import { fastify } from 'fastify';
import { connect } from './mqtt-client.ts';
import { settings } from './settings.ts';

const { mqttUrl = '', topic = '' } = settings();

const client = await connect(mqttUrl);
const app = fastify();
app.post('/messages', async (request, reply) => {
  await client.publishAsync(topic, JSON.stringify(request.body), { qos: 1 });
  return reply.code(202).send({ accepted: true });
});
const url = await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`ready ${new URL(url).port}`);
