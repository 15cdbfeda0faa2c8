import { visible } from '@magpie/schema-messages';
import type { Command } from 'commander';
import { type Follower, type FollowOptions, followStream, type StreamedEvent } from '../client/follow.ts';
import { withClientOptions } from '../client/options.ts';
import { print, printError } from '../output/print.ts';

interface TailOptions extends FollowOptions {
  readonly json?: true;
}

/** `magpie tail`: shows events as they are stored; reconnects after a lost link and misses nothing. */
export function addTail(program: Command): void {
  withClientOptions(program.command('tail'))
    .description('show events of a running gateway live')
    .option('--connection <name>', 'only events of this connection')
    .option(
      '--address <pattern>',
      'only these addresses, in the form of the protocol: plant/+/alarm (needs --connection)',
    )
    .option('--since <position>', 'start after a position, or "earliest"')
    .option('--json', 'one JSON object per line')
    .action(tail);
}

async function tail({ json, ...options }: TailOptions): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const follower: Follower = {
    started: () => {
      if (!json) print(line('TIME', 'CONNECTION', 'ADDRESS', 'BODY'));
    },
    event: ({ position, event }) => print(json ? JSON.stringify({ position, ...event }) : show(event, options.url)),
    notice: (text) => printError(`magpie: ${visible(text)}`),
  };
  await followStream(options, follower, stop.signal);
}

const show = ({ receivedAt, source, address, ...event }: StreamedEvent['event'], gateway: string): string =>
  line(receivedAt.slice(11, 23), source, address, bodyOf(event, gateway));

/** The beginning of a body; where it is not there, why, or where it is. */
function bodyOf(
  { text, base64, payload, bodyUrl, bytes, unreadable }: Partial<StreamedEvent['event']>,
  gateway: string,
): string {
  if (bodyUrl !== undefined) return `[${bytes} bytes: ${URL.parse(bodyUrl, gateway)?.href ?? bodyUrl}]`;
  if (unreadable !== undefined) return `[cannot be shown: ${unreadable}]`;
  const body = text ?? base64 ?? JSON.stringify(payload) ?? '';
  return body.replace(/\s+/g, ' ').slice(0, 120);
}

const line = (time: string, connection: string, address: string, body: string): string =>
  visible(`${time.padEnd(12)}  ${connection.padEnd(10)}  ${address.padEnd(36)}  ${body}`);
