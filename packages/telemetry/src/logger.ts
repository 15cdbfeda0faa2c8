import type { Logger } from '@magpie/contract';
import { redactUrls } from '@magpie/schema-messages';
import { type Logger as Pino, pino, stdTimeFunctions } from 'pino';
import { prettyLine } from './pretty.ts';

/** Log levels, from most to least verbose. Normal operation logs nothing at `info` once everything is up. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Destination of finished lines: standard output, or a test. */
export interface LogOutput {
  write(line: string): void;
}

/** What {@link createLogger} takes; all of it is optional. */
export interface LoggerOptions {
  /** One of `LOG_LEVELS`; anything else is taken for `info`. */
  readonly level?: string;
  /** Lines for people instead of JSON. */
  readonly pretty?: boolean;
  readonly output?: LogOutput;
}

/** Names of fields that are removed if logged by mistake, at the top and one level down. */
const REDACTED = [
  'password',
  'passphrase',
  'secret',
  'token',
  'authorization',
  'cookie',
  'body',
  'payload',
  'text',
  'base64',
];

/**
 * Makes the logger of a process: JSON lines on standard output, times in ISO 8601. Secrets, bodies and passwords in
 * URLs are removed from everything that is logged.
 */
export function createLogger({ level = 'info', pretty = false, output = process.stdout }: LoggerOptions = {}): Logger {
  const known = LOG_LEVELS.find((each) => each === level) ?? 'info';
  const write = (line: string): void => {
    const clean = withoutUrlPasswords(line);
    output.write(pretty ? prettyLine(clean) : clean);
  };
  const options = {
    level: known,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[hidden]' },
  };
  return wrap(pino(options, { write }));
}

const withoutUrlPasswords = (line: string): string => redactUrls(line);

const wrap = (logger: Pino): Logger => ({
  debug: (fields, message) => logger.debug(fields, message),
  info: (fields, message) => logger.info(fields, message),
  warn: (fields, message) => logger.warn(fields, message),
  error: (fields, message) => logger.error(fields, message),
  child: (fields) => wrap(logger.child(fields)),
});
