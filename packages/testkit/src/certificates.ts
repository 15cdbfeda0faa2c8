import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  type JsonGeneralName,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its key as PEM texts. */
export interface Pem {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test. */
export interface TestAuthority extends Pem {
  /** Issues a certificate for these subject alternative names; `days` of validity from now, negative for one that has ended. */
  issue(names: readonly JsonGeneralName[], days?: number): Promise<Pem>;
}

const DAY = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

/** Makes an authority without any program. A few ms per certificate. */
export async function testAuthority(name = 'CN=Test authority'): Promise<TestAuthority> {
  const keys = await newKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    ...validity(30),
    signingAlgorithm: ALGORITHM,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  });
  const issue: TestAuthority['issue'] = async (names, days = 30) => {
    const own = await newKeys();
    const certificate = await X509CertificateGenerator.create({
      subject: 'CN=never look here',
      issuer: root.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ALGORITHM,
      ...validity(days),
      extensions: [new SubjectAlternativeNameExtension([...names])],
    });
    return { cert: certificate.toString('pem'), key: await pemOf(own.privateKey) };
  };
  return { cert: root.toString('pem'), key: await pemOf(keys.privateKey), issue };
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const [from, to] = days < 0 ? [2 * days, days] : [-1, days];
  return { notBefore: new Date(Date.now() + from * DAY), notAfter: new Date(Date.now() + to * DAY) };
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}(?=.)/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}
