import { fileURLToPath } from 'node:url';
import { ensureBrokers, NoBrokers, startMosquitto, startProsody } from '@magpie/brokers';
import type { Stage } from '../stage.ts';
import { type ContactClient, startContactClient } from './contact-client.ts';
import { type Device, startDevice } from './device.ts';
import { playContacts } from './scenario.ts';

const NADIA = { name: 'nadia', password: 'magpie-secret' };
const FOLDER = new URL('../../../gateway/examples/devices-as-contacts/', import.meta.url);

/**
 * Devices as contacts: Mosquitto and Prosody as programs of this machine, which are installed where that is possible.
 * @throws NoBrokers when they are missing and cannot be installed.
 */
export async function devicesAsContacts(say: (line: string) => void): Promise<Stage> {
  const progress = (line: string): void => say(`  ${line}`);
  const { missing, reason } = await ensureBrokers({ wanted: ['mosquitto', 'prosody'], progress });
  if (missing.length > 0) throw new NoBrokers(`This example needs ${missing.join(' and ')} on this machine. ${reason}`);
  const [mosquitto, prosody] = await Promise.all([startMosquitto(), startProsody({ users: [NADIA] })]);
  let pump: Device | undefined;
  let nadia: ContactClient | undefined;
  return {
    title: `${mosquitto.name} ${mosquitto.version} and ${prosody.name} ${prosody.version}`,
    configuration: fileURLToPath(new URL('magpie.yaml', FOLDER)),
    env: {
      MQTT_URL: mosquitto.urls.anonymous,
      COMPONENT_URL: prosody.urls.component,
      COMPONENT_SECRET: prosody.componentSecret,
    },
    play: async (_, hops) => {
      pump = await startDevice(mosquitto.urls.anonymous, 'pump-7');
      nadia = await startContactClient(prosody.urls.plain, prosody.ca, NADIA);
      await playContacts({ pump, nadia }, hops);
    },
    invitation: (url) => [
      `log in as ${NADIA.name}@localhost (${NADIA.password}) at 127.0.0.1:${prosody.ports.plain}; its authority is ${prosody.ca}`,
      `mosquitto_pub -L ${mosquitto.urls.anonymous}/plant/pump-8/status -m '{"online":true,"text":"new here"}'`,
      `curl -s ${url}/v1/presence`,
    ],
    stop: async () => {
      await Promise.allSettled([pump?.close(), nadia?.close()]);
      await Promise.all([mosquitto.stop(), prosody.stop()]);
    },
  };
}
