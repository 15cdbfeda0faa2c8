import { type RabbitmqBroker, startRabbitmq } from '@magpie/brokers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { harness, keysFor } from '../support/harness.ts';

let broker: RabbitmqBroker;

/** A broker that accepts only certificates of its authority; the common name is the user. */
beforeAll(async () => {
  broker = await startRabbitmq({
    plugins: ['rabbitmq_auth_mechanism_ssl'],
    extraConfig: [
      'auth_mechanisms.1 = EXTERNAL',
      'ssl_cert_login_from = common_name',
      'ssl_options.verify = verify_peer',
      'ssl_options.fail_if_no_peer_cert = true',
    ],
  });
});
afterAll(() => broker?.stop());

const certificate = () => ({
  ca: broker.ca,
  cert: broker.tls.clientCertificate,
  key: broker.tls.clientKey,
});

/** Keys without any login but what is given. */
function connection(keys: Readonly<Record<string, unknown>>) {
  const {
    username: _,
    password: __,
    ...rest
  } = keysFor(broker, {
    url: `amqps://127.0.0.1:${broker.ports.tls}`,
    declare: { queues: [{ name: 'inbox' }] },
    ...keys,
  });
  return harness(rest);
}

it('a client certificate without a user name logs in as the name in it, sends and receives', async () => {
  const amqp = connection({ tls: certificate() });
  await amqp.connect();
  await amqp.send({ queue: 'inbox' }, 'by certificate');
  expect(await broker.control('list_connections', 'user', 'auth_mechanism')).toMatch(/magpie\s+EXTERNAL/);
  await amqp.close();
});

it('a user name with the certificate is a login by password, which this broker refuses with what to do', async () => {
  const amqp = harness(
    keysFor(broker, {
      url: `amqps://127.0.0.1:${broker.ports.tls}`,
      tls: certificate(),
      username: 'magpie',
      password: 'x',
    }),
  );
  await expect(amqp.connect()).rejects.toMatchObject({
    name: 'AuthFailed',
    message: expect.stringMatching(/SASL mechanism PLAIN.*; \S/),
  });
});

it('no certificate is refused with what to set', async () => {
  const amqp = connection({ tls: { ca: broker.ca } });
  await expect(amqp.connect()).rejects.toMatchObject({ message: expect.stringMatching(/tls\.cert/) });
});
