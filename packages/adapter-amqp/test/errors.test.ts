import { AuthFailed, type MagpieError, NotConnected, Rejected, TooLarge, Transient, Unknown } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { toContractError, WIRE_ERRORS } from '../src/errors.ts';
import { blame, missingExchange } from '../src/send/channel-error.ts';

const closed = (code: number, text: string): Error =>
  Object.assign(new Error(`Channel closed by server: ${code} (X) with message "${text}"`), { code });
const system = (code: string): Error => Object.assign(new Error(`connect ${code} 127.0.0.1:5672`), { code });

describe('errors of a link', () => {
  it.each([
    [system('ECONNREFUSED'), NotConnected, 'check that the broker runs'],
    [system('ENOTFOUND'), NotConnected, 'check the host'],
    [system('ETIMEDOUT'), NotConnected, 'amqp://h:1: connect ETIMEDOUT'],
    [system('SELF_SIGNED_CERT_IN_CHAIN'), NotConnected, 'set tls.ca'],
    [system('CERT_HAS_EXPIRED'), NotConnected, "renew the server's certificate"],
    [system('ERR_TLS_CERT_ALTNAME_INVALID'), NotConnected, 'set tls.serverName'],
    [new Error('Heartbeat timeout'), NotConnected, 'silent for two heartbeats'],
    [new Error('Socket closed abruptly during opening handshake'), NotConnected, 'speaks AMQP 0-9-1'],
    [
      new Error(
        'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
      ),
      AuthFailed,
      'amqp://h:1: ACCESS_REFUSED - Login was refused; check username and password',
    ],
    [new Error('Expected ConnectionOpenOk; got <ConnectionClose channel:0>'), AuthFailed, 'virtual host'],
    ['thrown text', NotConnected, 'thrown text'],
  ])('%s', (error, type, sentence) => {
    const mapped = toContractError('link', error, 'amqp://h:1');
    expect(mapped).toBeInstanceOf(type);
    expect(mapped.message).toContain(sentence);
    expect(mapped.cause).toBe(error);
  });
});

it('every error finds a row of its stage', () => {
  for (const stage of ['link', 'channel'] as const) {
    expect(WIRE_ERRORS.filter((row) => row.stage === stage && !row.codes && !row.text)).toHaveLength(1);
  }
});

describe('who closed the publishing channel', () => {
  const sends = [
    { exchange: 'x', routingKey: 'a', id: 'a', bytes: 10 },
    { exchange: 'x', routingKey: 'b', id: 'b', bytes: 20 },
    { exchange: '', routingKey: 'q', id: 'q', bytes: 30 },
  ];
  const judgements = (error: Error, of = sends): MagpieError['name'][] => {
    const judge = blame(error, of.length);
    return of.map((sent) => judge(sent).name);
  };

  it.each([
    [closed(404, "NOT_FOUND - no exchange 'x' in vhost '/'"), ['Transient', 'Transient', 'Unknown']],
    [
      closed(403, "ACCESS_REFUSED - write access to exchange 'x' in vhost '/' refused for user 'u'"),
      ['Rejected', 'Rejected', 'Unknown'],
    ],
    [
      closed(403, "ACCESS_REFUSED - write access to topic 'b' in exchange 'x' in vhost '/' refused for user 'u'"),
      ['Unknown', 'Rejected', 'Unknown'],
    ],
    [
      closed(403, "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'u'"),
      ['Unknown', 'Unknown', 'Rejected'],
    ],
    [
      closed(406, 'PRECONDITION_FAILED - message size 20 is larger than configured max size 15'),
      ['Unknown', 'TooLarge', 'Unknown'],
    ],
    [closed(406, 'PRECONDITION_FAILED - invalid expiration'), ['Unknown', 'Unknown', 'Unknown']],
  ])('%s', (error, names) => {
    expect(judgements(error)).toEqual(names);
  });

  it('a message alone on the channel is the culprit when nothing is named', () => {
    expect(judgements(closed(406, 'PRECONDITION_FAILED - invalid expiration'), sends.slice(0, 1))).toEqual([
      'Rejected',
    ]);
    expect(judgements(closed(404, "NOT_FOUND - no exchange 'y' in vhost '/'"), sends.slice(0, 1))).toEqual(['Unknown']);
  });

  it('names the missing exchange', () => {
    expect(missingExchange(closed(404, "NOT_FOUND - no exchange 'a b' in vhost '/'"))).toBe('a b');
    expect(missingExchange(closed(403, "NOT_FOUND - no exchange 'x' in vhost '/'"))).toBeUndefined();
  });
});

it('the classes mean what the table says', () => {
  const [transient, rejected, large] = [404, 406, 311].map((code) =>
    toContractError('channel', closed(code, 'x'), 'w'),
  );
  expect([transient, rejected, large].map((error) => error?.constructor)).toEqual([Transient, Rejected, TooLarge]);
  expect(new Unknown('').suspends).toBe(true);
});
