/** XMPP room → MQTT QoS 1: what the room says is published and forgotten. */
import { connect } from './mqtt-client.ts';
import { enter } from './room.ts';
import { settings } from './settings.ts';

const { mqttUrl = '', topic = '', xmppUrl = '', user = '', password = '', room = '' } = settings();

const client = await connect(mqttUrl);
const chat = await enter(xmppUrl, user, password, room);
chat.on('stanza', (stanza) => {
  const body = stanza.is('message') ? stanza.getChildText('body') : null;
  if (body !== null) client.publish(topic, body, { qos: 1 });
});
console.log('ready');
