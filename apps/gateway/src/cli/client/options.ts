import { type Command, InvalidArgumentError } from 'commander';
import { DEFAULT_URL } from './http.ts';

/** Adds the options of every command that talks to a running gateway. */
export const withClientOptions = (command: Command): Command =>
  command
    .option('--url <url>', 'the gateway', gatewayUrl, DEFAULT_URL)
    .option('--key <key>', 'bearer key; others see it in the list of processes, so rather set MAGPIE_KEY');

/** Parses `--url`. Throws `InvalidArgumentError`, which commander shows with the option. */
function gatewayUrl(text: string): string {
  const protocol = URL.parse(text)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return text;
  throw new InvalidArgumentError(`Expected a URL such as ${DEFAULT_URL}.`);
}
