import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_URL } from './client.ts';

/** Adds the options of every command that talks to a running gateway. */
export const withClientOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the gateway', gatewayUrl, DEFAULT_URL)
    .option('--key <key>', 'bearer key (default: MAGPIE_KEY)');

/** Parses `--url`. Throws `InvalidArgumentError`, which commander shows with the option. */
function gatewayUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return text;
  throw new InvalidArgumentError(`Expected a URL such as ${DEFAULT_URL}.`);
}

/** Writes a line, or several, to standard output. */
export const print = (text: string): void => void process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);

/** Writes a value as indented JSON. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));
