import { ANSWERS } from '@magpie/api';
import { parseJsonBody } from '@magpie/contract';
import { visible } from '@magpie/schema-messages';
import type { Command } from 'commander';
import { type ClientOptions, postJson } from '../client/http.ts';
import { withClientOptions } from '../client/options.ts';
import { fail } from '../output/fail.ts';
import { print } from '../output/print.ts';

interface PublishOptions extends ClientOptions {
  readonly to?: string;
  readonly idempotencyKey?: string;
  readonly text?: true;
}

/** `magpie publish`: sends a message to a running gateway. */
export function addPublish(program: Command): void {
  withClientOptions(program.command('publish'))
    .description('publish a message to a topic of the API, or directly to an address of a connection (--to)')
    .argument(
      '<address>',
      'a topic, or with --to an address in the form of its protocol, for example room=ops@conference.example.org',
    )
    .argument(
      '[words-and-body...]',
      'with --to further parts of the address, such as routingKey=plant.p7; last the body (JSON or text)',
    )
    .option('--to <connection>', 'send directly to an address of this connection')
    .option('--text', 'send the body as text even if it looks like JSON')
    .option('--idempotency-key <key>', 'idempotency key: repeating a publish with the same key stores it once')
    .action(publish);
}

async function publish(address: string, rest: readonly string[], options: PublishOptions): Promise<void> {
  const body = rest.at(-1);
  if (body === undefined) return fail('expected a body (JSON or text) after the address, got none');
  const target =
    options.to === undefined ? { topic: address } : { to: direct(options.to, [address, ...rest.slice(0, -1)]) };
  const json = options.text ? undefined : parseJsonBody(Buffer.from(body), undefined);
  const message = { ...target, ...(json === undefined ? { text: body } : { payload: json }) };
  const { idempotencyKey } = options;
  const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': `"${idempotencyKey}"` };
  const { ref } = await postJson(options, '/v1/messages', message, ANSWERS.accepted, headers);
  print(visible(ref));
}

function direct(connection: string, words: readonly string[]): Record<string, string> {
  const pairs = words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) return fail(`expected key=value, for example topic=plant/p7/set, got "${word}"`);
    return [word.slice(0, equals), word.slice(equals + 1)] as const;
  });
  return { connection, ...Object.fromEntries(pairs) };
}
