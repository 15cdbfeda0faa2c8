/** MQTT QoS 1 → WebSocket: every message to every client. */
import { once } from 'node:events';
import { WebSocketServer } from 'ws';
import { connect } from './mqtt-client.ts';
import { settings } from './settings.ts';

const { mqttUrl = '', filter = '' } = settings();

const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
await once(server, 'listening');
const client = await connect(mqttUrl);
client.on('message', (_, payload) => {
  const text = payload.toString();
  for (const socket of server.clients) socket.send(text);
});
await client.subscribeAsync(filter, { qos: 1 });
const address = server.address();
console.log(`ready ${typeof address === 'object' ? address?.port : ''}`);
