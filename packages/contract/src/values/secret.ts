import { inspect } from 'node:util';
import { z } from 'zod';

const REDACTED = '[secret]';

/** A text that never shows itself: JSON, string conversion and `util.inspect` print `[secret]`. */
export class Secret {
  readonly #value: string;

  /** `value` is the text to keep from sight. */
  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself. Call it only where it goes onto the wire. */
  reveal(): string {
    return this.#value;
  }

  /** `[secret]`. */
  toJSON(): string {
    return REDACTED;
  }

  /** `[secret]`. */
  toString(): string {
    return REDACTED;
  }

  /** `[secret]`. */
  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Schema of a secret in a configuration: a text that becomes a `Secret` on parsing. */
export const secretSchema = (): z.ZodType<Secret, string> =>
  z
    .string()
    .min(1)
    .transform((value) => new Secret(value))
    .meta({ secret: true });
