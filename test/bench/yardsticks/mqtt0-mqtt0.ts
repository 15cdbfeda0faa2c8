/** MQTT QoS 0 → MQTT QoS 0. */
import { connect } from './mqtt-client.ts';
import { settings } from './settings.ts';

const { from = '', to = '', filter = '', topic = '' } = settings();

const target = await connect(to);
const source = await connect(from);
source.on('message', (_, payload) => void target.publish(topic, payload, { qos: 0 }));
await source.subscribeAsync(filter, { qos: 0 });
console.log('ready');
