/** The MQTT adapter: MQTT 5 and 3.1.1. */

export { MAPPING } from './codec/mapping.ts';
export type { MqttConnection, MqttSource, MqttTarget } from './config.ts';
export { mqttAdapter } from './definition.ts';
