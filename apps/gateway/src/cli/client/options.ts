import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_URL } from './http.ts';

/** Adds the options of every command that talks to a running gateway. */
export const withClientOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the gateway', gatewayUrl, DEFAULT_URL)
    .option(
      '--key <key>',
      'bearer key; prefer the variable MAGPIE_KEY, as other users can see this option in the process list',
    );

/** Parses `--url`. Throws `InvalidArgumentError`, which commander prints with the name of the option. */
function gatewayUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return text;
  throw new InvalidArgumentError(`Expected a URL such as ${DEFAULT_URL}.`);
}
