import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AuthFailed, ConfigInvalid, errorMessage } from '@magpie/contract';
import saslprep from '@mongodb-js/saslprep';

const derive = promisify(pbkdf2);

/** RFC 7677 asks for at least 4096; the upper bound keeps a hostile server from burning our CPU. */
const ITERATIONS = { min: 4096, max: 1_000_000 } as const;

/** Hash function of a SCRAM mechanism, as `node:crypto` names it. */
export type ScramHash = 'sha1' | 'sha256';

/** Input of a SCRAM exchange. */
export interface ScramCredentials {
  readonly username: string;
  readonly password: string;
}

/** One SCRAM exchange (RFC 5802) without channel binding. Messages are text. */
export interface ScramExchange {
  readonly clientFirst: string;
  /**
   * Answers the server's first message. Throws `AuthFailed` on an invalid challenge, `ConfigInvalid` on a password that
   * SASLprep forbids.
   */
  clientFinal(serverFirst: string): Promise<string>;
  /** Checks the server's final message: proof that it knows the password too. Throws `AuthFailed` when it is missing or wrong. */
  verify(serverFinal: string): void;
}

/**
 * Starts an exchange. Throws `ConfigInvalid` on a name that SASLprep forbids. `nonce` is given in tests only (the vectors of RFC 5802 and RFC 7677).
 */
export function startScram(
  hash: ScramHash,
  { username, password }: ScramCredentials,
  nonce: string = randomBytes(18).toString('base64'),
): ScramExchange {
  const bare = `n=${prepare('jid', username).replace(/=/g, '=3D').replace(/,/g, '=2C')},r=${nonce}`;
  let asked = false;
  let expected: Buffer | undefined;
  return {
    clientFirst: `n,,${bare}`,
    async clientFinal(serverFirst) {
      if (asked) throw new AuthFailed('the server sent a second SCRAM challenge');
      asked = true;
      const { nonce: combined, salt, iterations } = parseChallenge(serverFirst, nonce);
      const salted = await derive(prepare('password', password), salt, iterations, hash === 'sha1' ? 20 : 32, hash);
      const withoutProof = `c=biws,r=${combined}`;
      const message = `${bare},${serverFirst},${withoutProof}`;
      const mac = (key: Buffer, data: string): Buffer => createHmac(hash, key).update(data).digest();
      const clientKey = mac(salted, 'Client Key');
      const signature = mac(createHash(hash).update(clientKey).digest(), message);
      expected = mac(mac(salted, 'Server Key'), message);
      const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
      return `${withoutProof},p=${proof.toString('base64')}`;
    },
    verify(serverFinal) {
      const given = Buffer.from(fields(serverFinal).get('v') ?? '', 'base64');
      if (!expected || given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new AuthFailed(
          'the server could not prove that it knows the password (SCRAM server signature): it may be an impostor',
        );
      }
    },
  };
}

/** RFC 4013, for a text that is compared, not stored, so that characters newer than its tables are allowed (§2.5). */
function prepare(what: 'jid' | 'password', text: string): string {
  try {
    return saslprep(text, { allowUnassigned: true });
  } catch (error) {
    throw new ConfigInvalid(`the ${what} cannot be used to log in (SASLprep): ${errorMessage(error)}`, {
      pointer: `/${what}`,
      cause: error,
    });
  }
}

const fields = (message: string): Map<string, string> =>
  new Map(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));

function parseChallenge(serverFirst: string, nonce: string): { nonce: string; salt: Buffer; iterations: number } {
  const challenge = fields(serverFirst);
  const combined = challenge.get('r') ?? '';
  const salt = Buffer.from(challenge.get('s') ?? '', 'base64');
  const iterations = Number(challenge.get('i'));
  if (!combined.startsWith(nonce) || combined.length === nonce.length)
    throw new AuthFailed('the SCRAM challenge does not continue our nonce');
  if (salt.length === 0) throw new AuthFailed('the SCRAM challenge has no salt');
  if (!Number.isInteger(iterations) || iterations < ITERATIONS.min || iterations > ITERATIONS.max) {
    throw new AuthFailed(
      `the SCRAM challenge asks for ${challenge.get('i')} iterations, expected ${ITERATIONS.min} to ${ITERATIONS.max}`,
    );
  }
  return { nonce: combined, salt, iterations };
}
