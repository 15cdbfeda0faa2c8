import { AuthFailed } from '@magpie/contract';
import SaslFactory from 'saslmechanisms';
import { type ScramExchange, type ScramHash, startScram } from './scram.ts';

/** Best first. The library's own SCRAM costs 80 times the CPU and never checks the server. */
const SCRAM: Readonly<Record<string, ScramHash>> = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-1': 'sha1' };
const MECHANISMS = [...Object.keys(SCRAM), 'PLAIN'];

/**
 * The login of one connection attempt: the SASL mechanisms that the library may use, and the proof that the server knows the
 * password. Challenges and proofs are never used twice.
 */
export class Login {
  /** Used by the library, which runs the exchange (RFC 6120 §6.4). */
  readonly factory = new SaslFactory();
  #exchange: ScramExchange | undefined;
  #asked = false;
  #verified = false;

  constructor(username: string, password: string) {
    const asked = (): void => {
      this.#asked = true;
    };
    const scram = (hash: ScramHash) => () => {
      const exchange = startScram(hash, { username, password });
      this.#exchange = exchange;
      return new ScramMechanism(exchange, asked, (final) => this.verify(final));
    };
    for (const [name, hash] of Object.entries(SCRAM)) this.factory.use(name, mechanism(name, scram(hash)));
    const plain = (): Exchange => ({
      response: () => {
        asked();
        return `\0${username}\0${password}`;
      },
      challenge: async () => undefined,
    });
    this.factory.use('PLAIN', mechanism('PLAIN', plain));
  }

  /**
   * Chooses among what the server offers. Throws `AuthFailed` without a common mechanism; PLAIN is used on encrypted
   * links only.
   */
  choose(offered: readonly string[], secure: boolean): string {
    const usable = MECHANISMS.find((name) => offered.includes(name) && (secure || name !== 'PLAIN'));
    if (usable !== undefined) return usable;
    const clear = secure ? '' : ' (PLAIN is never used on a link without TLS)';
    throw new AuthFailed(
      `no common login mechanism: the server offers ${offered.join(', ') || 'none'}, expected one of ${MECHANISMS.join(', ')}${clear}`,
    );
  }

  /**
   * Call it with the content of `<success/>` before sending anything else. Throws `AuthFailed` on an impostor,
   * including a server that reports success before our login.
   */
  verify(success: string): void {
    if (!this.#asked)
      throw new AuthFailed('the server reported a successful login before we sent one: it may be an impostor');
    if (!this.#exchange || this.#verified) return;
    this.#exchange.verify(success);
    this.#verified = true;
  }
}

/** Both sides of one exchange, as text. */
interface Exchange {
  /** The next message to send. */
  response(): string;
  /** Handles a message of the server. */
  challenge(text: string): Promise<void>;
}

class ScramMechanism implements Exchange {
  readonly #exchange: ScramExchange;
  readonly #asked: () => void;
  readonly #verify: (final: string) => void;
  #answer: string;

  constructor(exchange: ScramExchange, asked: () => void, verify: (final: string) => void) {
    this.#exchange = exchange;
    this.#asked = asked;
    this.#verify = verify;
    this.#answer = exchange.clientFirst;
  }

  response(): string {
    this.#asked();
    return this.#answer;
  }

  async challenge(text: string): Promise<void> {
    // RFC 5802 lets the server send its proof in a last challenge instead of with the success.
    if (text.startsWith('v=')) this.#verify(text);
    this.#answer = text.startsWith('v=') ? '' : await this.#exchange.clientFinal(text);
  }
}

/**
 * A mechanism class as the library's factory wants one. It encodes with `btoa`, which accepts one byte per character.
 */
function mechanism(name: string, start: () => Exchange): SaslFactory.MechanismStatic {
  return class {
    readonly name = name;
    readonly clientFirst = true;
    readonly #exchange = start();

    response(): string {
      return Buffer.from(this.#exchange.response(), 'utf8').toString('latin1');
    }

    challenge(data: string): Promise<void> {
      return this.#exchange.challenge(Buffer.from(data, 'latin1').toString('utf8'));
    }
  };
}
