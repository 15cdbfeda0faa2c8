import { generateKeyPairSync } from 'node:crypto';
import { loadTls, tlsAdvice, tlsSchema } from '@magpie/adapter-kit';
import { ConfigInvalid } from '@magpie/contract';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const { privateKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary-battery' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});

const failing = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('TLS of a connection', () => {
  it('needs nothing: the authorities of the system, and the name of the host', async () => {
    const tls = await loadTls(undefined, 'broker.example.org');
    expect(tls).toMatchObject({ rejectUnauthorized: true, servername: 'broker.example.org' });
  });

  it.each(['127.0.0.1', '::1'])('names no server by its address %s', async (host) => {
    expect(await loadTls({ verify: true }, host)).not.toHaveProperty('servername');
    expect(await loadTls({ verify: true, serverName: 'a.example.org' }, host)).toHaveProperty('servername');
  });

  it('opens a key with its passphrase only, and shows neither', async () => {
    const schema = tlsSchema({});
    const cert = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const settings = schema.parse({ cert, key: privateKey, passphrase: 'canary-battery' });
    const { cert: _, ...keyOnly } = settings;
    await expect(loadTls(keyOnly, 'h')).resolves.toBeDefined();
    const wrong = schema.parse({ cert, key: privateKey, passphrase: 'canary-horse' });
    const error = await loadTls({ ...wrong, cert: undefined }, 'h').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigInvalid);
    expect(error).toMatchObject({ pointer: '/tls/key', message: expect.stringMatching(/passphrase/) });
    expect(JSON.stringify(settings) + String(error)).not.toContain('canary');
  });

  it('wants certificate and key together, and nothing it does not know', () => {
    expect(tlsSchema({}).safeParse({ cert: 'c.pem' }).error?.issues[0]?.message).toBe(
      'expected both cert and key, or neither',
    );
    expect(tlsSchema({}).safeParse({ authority: 'c.pem' }).success).toBe(false);
    expect(tlsSchema({ required: z.boolean() }).parse({ required: true })).toEqual({ required: true, verify: true });
  });

  it.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain', 'set tls.ca'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', 'set tls.ca'],
    ['CERT_HAS_EXPIRED', 'certificate has expired', 'renew'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames", 'set tls.serverName'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', 'speaks TLS'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required', 'set tls.cert and tls.key'],
    ['ERR_SSL_NO_SHARED_CIPHER', 'no shared cipher', 'check tls.ca and tls.serverName'],
  ])('says what to do about %s', (code, message, advice) => {
    expect(tlsAdvice(failing(code, message))).toContain(advice);
  });

  it('has nothing to say about other errors', () => {
    expect(tlsAdvice(failing('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1'))).toBeUndefined();
    expect(tlsAdvice('no reason')).toBeUndefined();
  });
});
