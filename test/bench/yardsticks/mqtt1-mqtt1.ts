/** MQTT QoS 1 → MQTT QoS 1: a PUBACK goes out once the target's has come in. */
import { connect, receive } from './mqtt-client.ts';
import { settings } from './settings.ts';

const { from = '', to = '', filter = '', topic = '' } = settings();

const target = await connect(to);
await receive(await connect(from), filter, (payload, acknowledge) => {
  target.publish(topic, payload, { qos: 1 }, (error) => error || acknowledge());
});
console.log('ready');
