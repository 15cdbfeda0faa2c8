import { AuthFailed } from '@magpie/contract';
import type { Mechanism } from './library.ts';
import { type ScramExchange, type ScramHash, startScram } from './scram.ts';

/** The login of one connection attempt: SASL mechanisms for the library, and the proof that the server knows the password. */
export interface Login {
  /** Best first. Replaces the library's own, whose SCRAM costs 80 times the CPU and never checks the server. */
  readonly mechanisms: readonly { readonly name: string; readonly mech: new () => Mechanism }[];
  /** Chooses among what the server offers. Throws `AuthFailed` when nothing fits; PLAIN is for encrypted links only. */
  choose(offered: readonly string[], secure: boolean): string;
  /**
   * To be called with the content of `<success/>` before anything else is sent. Throws `AuthFailed` on an impostor, which is
   * also a server that says so before it was asked.
   */
  verify(success: string): void;
}

const SCRAM: readonly (readonly [string, ScramHash])[] = [
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-1', 'sha1'],
];

/** A login for one attempt: challenges and proofs are never used twice. */
export function createLogin(username: string, password: string): Login {
  let exchange: ScramExchange | undefined;
  let asked = false;
  let verified = false;
  const verify = (final: string): void => {
    exchange?.verify(final);
    verified = true;
  };
  const scram = (name: string, hash: ScramHash) => ({
    name,
    mech: mechanism(name, () => {
      const started = startScram(hash, { username, password });
      exchange = started;
      let answer: string | Promise<string> = started.clientFirst;
      return {
        response: async () => {
          asked = true;
          return toBinary(await answer);
        },
        challenge: (data) => {
          const text = fromBinary(data);
          // RFC 5802 lets the server send its proof in a last challenge instead of with the success.
          if (text.startsWith('v=')) verify(text);
          answer = text.startsWith('v=') ? '' : started.clientFinal(text);
        },
      };
    }),
  });
  const plain = {
    name: 'PLAIN',
    mech: mechanism('PLAIN', () => ({
      response: () => {
        asked = true;
        return toBinary(`\0${username}\0${password}`);
      },
      challenge: () => undefined,
    })),
  };
  const mechanisms = [...SCRAM.map(([name, hash]) => scram(name, hash)), plain];
  return {
    mechanisms,
    choose(offered, secure) {
      const usable = mechanisms.find(({ name }) => offered.includes(name) && (secure || name !== 'PLAIN'));
      if (usable) return usable.name;
      const known = mechanisms.map(({ name }) => name).join(', ');
      const clear = secure ? '' : ' (PLAIN is never used on a link without TLS)';
      throw new AuthFailed(
        `no common way to log in: the server offers ${offered.join(', ') || 'none'}, expected one of ${known}${clear}`,
      );
    },
    verify(success) {
      if (!asked)
        throw new AuthFailed('the server said that we are logged in before we had sent a login: it is an impostor');
      if (exchange && !verified) verify(success);
    },
  };
}

type Exchange = Pick<Mechanism, 'response' | 'challenge'>;

/** A mechanism class as the library's factory wants one. */
function mechanism(name: string, start: () => Exchange): new () => Mechanism {
  return class implements Mechanism {
    readonly name = name;
    readonly clientFirst = true;
    readonly #exchange = start();

    response(): string | Promise<string> {
      return this.#exchange.response(undefined);
    }

    challenge(data: string): unknown {
      return this.#exchange.challenge(data);
    }
  };
}

/** The library encodes with `btoa`, which knows one byte per character. */
const toBinary = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const fromBinary = (data: string): string => Buffer.from(data, 'latin1').toString('utf8');
