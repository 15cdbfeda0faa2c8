import { AuthFailed, ConfigInvalid } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { startScram } from '../../src/link/login/scram.ts';

const RFC5802 = {
  hash: 'sha1',
  nonce: 'fyko+d2lbbFgONRv9qkxdawL',
  first: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
  challenge: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
  final: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
  server: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
} as const;

const RFC7677 = {
  hash: 'sha256',
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  final: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  server: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
} as const;

const start = (vector: typeof RFC5802 | typeof RFC7677) =>
  startScram(vector.hash, { username: 'user', password: 'pencil' }, vector.nonce);

describe('scram', () => {
  it.each([
    ['RFC 5802', RFC5802],
    ['RFC 7677', RFC7677],
  ])('follows the example of %s', async (_, vector) => {
    const exchange = start(vector);
    expect(exchange.clientFirst).toBe(vector.first);
    expect(await exchange.clientFinal(vector.challenge)).toBe(vector.final);
    expect(() => exchange.verify(vector.server)).not.toThrow();
  });

  it('refuses a server that cannot prove the password', async () => {
    const exchange = start(RFC5802);
    await exchange.clientFinal(RFC5802.challenge);
    for (const final of ['', 'v=', 'v=AAAA', 'v=xmF9pqV8S7suAoZWja4dJRkFsKQ=', 'e=other-error']) {
      expect(() => exchange.verify(final)).toThrow(AuthFailed);
    }
  });

  it.each([
    ['of another nonce', 'r=other,s=QSXCR+Q6sek8bf92,i=4096'],
    ['that adds nothing to our nonce', 'r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096'],
    ['without a salt', 'r=fyko+d2lbbFgONRv9qkxdawLx,s=,i=4096'],
    ['with few iterations', 'r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=1'],
    ['with a ruinous number of iterations', 'r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=100000000'],
    ['that is garbage', '\u0000'],
  ])('refuses a challenge %s', async (_, challenge) => {
    await expect(start(RFC5802).clientFinal(challenge)).rejects.toThrow(AuthFailed);
  });

  it('takes one challenge only', async () => {
    const exchange = start(RFC5802);
    await exchange.clientFinal(RFC5802.challenge);
    await expect(exchange.clientFinal(RFC5802.challenge)).rejects.toThrow(AuthFailed);
  });

  it.each([
    ['I\u00adX', 'IX'],
    ['\u2168', 'IX'],
    ['\u00aa', 'a'],
    ['a\u00a0b', 'a b'],
  ])('prepares %j as %j (RFC 4013)', (username, prepared) => {
    expect(startScram('sha1', { username, password: 'x' }, 'n').clientFirst).toBe(`n,,n=${prepared},r=n`);
  });

  it.each(['\u0007', '\u0627\u0031'])('refuses what RFC 4013 prohibits: %j', async (text) => {
    expect(() => startScram('sha1', { username: text, password: 'x' })).toThrow(ConfigInvalid);
    const exchange = startScram('sha1', { username: 'user', password: text }, RFC5802.nonce);
    await expect(exchange.clientFinal(RFC5802.challenge)).rejects.toMatchObject({
      name: 'ConfigInvalid',
      pointer: '/password',
    });
  });

  it('escapes the user name', () => {
    const exchange = startScram('sha1', { username: 'a=b,c', password: 'x' }, 'n');
    expect(exchange.clientFirst).toBe('n,,n=a=3Db=2Cc,r=n');
  });
});
