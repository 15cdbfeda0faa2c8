import type { EventJson } from '@magpie/contract';
import type { Command } from 'commander';
import { WebSocket } from 'ws';
import { authorization, type ClientOptions } from './client.ts';
import { CommandFailed } from './fail.ts';
import { withClientOptions } from './options.ts';

interface TailOptions extends ClientOptions {
  readonly connection?: string;
  readonly address?: string;
  readonly since?: string;
  readonly json?: true;
}

/** `magpie tail`: shows events as they are stored. */
export function addTail(program: Command): void {
  withClientOptions(program.command('tail'))
    .description('show events of a running gateway live')
    .option('--connection <name>', 'only events of this connection')
    .option(
      '--address <pattern>',
      'only these addresses, in the words of the protocol: plant/+/alarm (needs --connection)',
    )
    .option('--since <position>', 'start after a position, or "earliest"')
    .option('--json', 'one JSON object per line')
    .action(tail);
}

/** Events asked for at a time. */
const CREDIT = 256;

function tail(options: TailOptions): Promise<void> {
  const url = new URL('/v1/stream', options.url);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, ['magpie.v1.json'], { headers: authorization(options) });
  const { connection, address, since } = options;
  return new Promise((resolve, reject) => {
    socket.on('open', () => {
      if (!options.json) process.stdout.write(`${line('TIME', 'CONNECTION', 'ADDRESS', 'BODY')}\n`);
      socket.send(JSON.stringify({ type: 'subscribe', id: 'tail', connection, address, after: since, credit: CREDIT }));
    });
    socket.on('message', (data) => {
      const refusal = receive(socket, JSON.parse(String(data)), options);
      if (refusal !== undefined) reject(new CommandFailed(refusal));
    });
    socket.on('close', (code, reason) => {
      if (code !== 1000) process.stderr.write(`magpie: the stream ended: ${code} ${String(reason)}\n`);
      resolve();
    });
    socket.on('error', (error) => reject(new CommandFailed(`no stream at ${url.href}: ${error.message}`)));
    process.once('SIGINT', () => socket.close(1000));
  });
}

interface Frame {
  readonly type: string;
  readonly events?: readonly { readonly position: string; readonly event: EventJson }[];
  readonly detail?: string;
}

/** Shows a frame; gives back why the gateway refused, if it did. */
function receive(socket: WebSocket, frame: Frame, { json }: TailOptions): string | undefined {
  if (frame.type === 'error') return frame.detail ?? 'the gateway refused the subscription';
  if (frame.type === 'gap') process.stderr.write('magpie: older events are no longer kept, a part is missing\n');
  if (frame.type !== 'events' || !frame.events) return undefined;
  for (const { position, event } of frame.events) {
    process.stdout.write(`${json ? JSON.stringify({ position, ...event }) : show(event)}\n`);
  }
  socket.send(JSON.stringify({ type: 'credit', id: 'tail', credit: frame.events.length }));
  return undefined;
}

const show = (event: EventJson): string => {
  const body = event.text ?? event.base64 ?? JSON.stringify(event.payload);
  return line(event.receivedAt.slice(11, 23), event.source, event.address, body.replace(/\s+/g, ' ').slice(0, 120));
};

const line = (time: string, connection: string, address: string, body: string): string =>
  `${time.padEnd(12)}  ${connection.padEnd(10)}  ${address.padEnd(36)}  ${body}`;
