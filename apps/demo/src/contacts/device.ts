import mqtt, { type IClientPublishOptions } from 'mqtt';
import { createInbox } from '../inbox.ts';

/** What somebody wants of the pump. */
export interface Wish {
  readonly topic: string;
  readonly text: string;
  /** Answers it, where an answer is wanted. */
  answer(text: string): Promise<void>;
}

/** The simulated MQTT device. */
export interface Device {
  status(online: boolean, text: string): Promise<void>;
  /** Resolves to the next message for it. */
  wish(): Promise<Wish>;
  publish(topic: string, body: string | Buffer, contentType?: string): Promise<void>;
  /** Pulls the plug: its last will says that it is gone. */
  vanish(): Promise<void>;
  close(): Promise<void>;
}

/** Connects the pump `name` of a broker. */
export async function startDevice(url: string, name: string): Promise<Device> {
  const gone = { online: false, text: 'no contact' };
  const will = {
    topic: `plant/${name}/status`,
    payload: Buffer.from(JSON.stringify(gone)),
    qos: 1,
    retain: true,
  } as const;
  const client = await mqtt.connectAsync(url, {
    clientId: `demo-${name}`,
    protocolVersion: 5,
    will,
    reconnectPeriod: 0,
  });
  const wishes = createInbox<Wish>();
  const publish = async (topic: string, body: string | Buffer, more: IClientPublishOptions = {}): Promise<void> => {
    await client.publishAsync(topic, body, { qos: 1, ...more });
  };
  client.on('error', () => undefined); // the hops report what matters
  client.on('message', (topic, body, { properties = {} }) => {
    const { responseTopic = '', correlationData = Buffer.of() } = properties;
    const answer = (text: string): Promise<void> =>
      publish(responseTopic, text, { properties: { correlationData, contentType: 'application/json' } });
    wishes.put({ topic, text: body.toString(), answer });
  });
  await client.subscribeAsync([`plant/${name}/set`, `plant/${name}/level`, 'people/+'], { qos: 1 });
  return {
    status: (online, text) => publish(`plant/${name}/status`, JSON.stringify({ online, text }), { retain: true }),
    wish: wishes.take,
    publish: (topic, body, contentType) =>
      publish(`plant/${name}/${topic}`, body, contentType === undefined ? {} : { properties: { contentType } }),
    vanish: async () => void client.stream.destroy(),
    close: async () => void (await client.endAsync(true)),
  };
}
