/** MQTT QoS 1 → XMPP room: acknowledged when it is received, sent and forgotten. */
import { xml } from '@xmpp/client';
import { connect } from './mqtt-client.ts';
import { enter } from './room.ts';
import { settings } from './settings.ts';

const { mqttUrl = '', filter = '', xmppUrl = '', user = '', password = '', room = '' } = settings();

const chat = await enter(xmppUrl, user, password, room);
const client = await connect(mqttUrl);
client.on('message', (_, payload) => {
  void chat.send(xml('message', { to: room, type: 'groupchat' }, xml('body', {}, payload.toString())));
});
await client.subscribeAsync(filter, { qos: 1 });
console.log('ready');
