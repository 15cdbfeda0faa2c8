import { useBrokers, waitFor } from '@magpie/testkit';
import amqp from 'amqplib';
import mqtt from 'mqtt';
import { afterAll, describe, expect, it } from 'vitest';
import { type GatewayHome, gatewayHome } from '../support/gateway-process.ts';
import { createLedger } from '../support/ledger.ts';

const MESSAGES = 1000;
const KEYS = 10;
const KILLS = 3;

describe('a gateway that is killed with -9 under load', () => {
  const brokers = useBrokers({ mosquitto: {}, rabbitmq: {} });
  let home: GatewayHome | undefined;
  afterAll(() => home?.remove());

  it(`delivers every one of ${MESSAGES} QoS 1 messages, in order per key, over ${KILLS} kills`, async () => {
    const { mosquitto, rabbitmq } = brokers;
    home = await gatewayHome(configuration(mosquitto.ports.plain, rabbitmq.urls.plain));
    let gateway = await home.start();
    const ledger = createLedger();
    const office = await amqp.connect(rabbitmq.urls.plain);
    const channel = await office.createChannel();
    await channel.consume('inbox', (message) => {
      if (!message) return;
      ledger.received(message.content.toString());
      channel.ack(message);
    });
    const pump = await mqtt.connectAsync(mosquitto.urls.plain, { protocolVersion: 5 });
    const sending = (async () => {
      for (let number = 0; number < MESSAGES; number++) {
        const key = `k${number % KEYS}`;
        const id = `${key}-${number}`;
        await pump.publishAsync(`in/${key}`, id, { qos: 1 });
        ledger.acked(id);
      }
    })();
    for (let kill = 0; kill < KILLS; kill++) {
      await waitFor(() => ledger.report().received > (kill + 1) * 150, { what: 'traffic before the kill' });
      await gateway.kill();
      gateway = await home.start();
    }
    await sending;
    await waitFor(() => ledger.report().acked === MESSAGES && ledger.missing() === 0, {
      timeout: 60_000,
      what: `all messages at the target; the gateway logged ${gateway.logs().slice(-2000)}`,
    });
    const report = ledger.report();
    console.log(
      `kill -9 × ${KILLS}: ${report.acked} acked, ${report.duplicates} duplicates, ${report.lost.length} lost`,
    );
    expect(report).toMatchObject({ acked: MESSAGES, lost: [], disordered: [] });
    await pump.endAsync();
    await office.close();
  });
});

const configuration = (mqttPort: number, amqpUrl: string): string => `
version: 1
gateway: { id: kill, dataDir: ./data }
http: { port: 0 }
connections:
  floor: { type: mqtt, url: "mqtt://127.0.0.1:${mqttPort}", clientId: kill-gateway }
  erp:
    type: amqp
    url: "${amqpUrl}"
    declare: { queues: [{ name: inbox }] }
routes:
  all:
    from: { connection: floor, topic: "in/{key}", qos: 1 }
    to: { connection: erp, queue: inbox }
`;
