import { parseJsonBody } from '@magpie/contract';
import type { Command } from 'commander';
import { fail } from '../../output/fail.ts';

/** Changes to a dead letter before its retry, as typed by the user. */
export interface EditOptions {
  readonly payload?: string;
  readonly text?: string;
  readonly base64?: string;
  readonly contentType?: string;
  readonly header?: readonly string[];
}

/** Adds the options that change a message. */
export const withEdit = (command: Command): Command =>
  command
    .option('--payload <json>', 'with an id: send this JSON instead')
    .option('--text <text>', 'with an id: send this text instead')
    .option('--base64 <bytes>', 'with an id: send these bytes instead')
    .option('--content-type <type>', 'with an id: the media type of the body')
    .option(
      '--header <name=value>',
      'with an id: replace all headers by this one; repeat it for several',
      (text, all: readonly string[] = []) => [...all, text],
    );

/** The change as the API takes it; undefined without one. Fails the command when the options contradict each other. */
export function editOf({ payload, text, base64, contentType, header }: EditOptions): object | undefined {
  const bodies = [
    payload === undefined ? undefined : { payload: json(payload) },
    text === undefined ? undefined : { text },
    base64 === undefined ? undefined : { base64 },
  ].filter((body) => body !== undefined);
  if (bodies.length > 1) return fail('expected at most one of --payload, --text and --base64');
  const edit = {
    ...bodies[0],
    ...(contentType === undefined ? {} : { contentType }),
    ...(header === undefined ? {} : { headers: header.map(pair) }),
  };
  return Object.keys(edit).length === 0 ? undefined : edit;
}

function json(text: string): unknown {
  const value = parseJsonBody(Buffer.from(text), 'application/json');
  return value === undefined ? fail(`--payload: expected JSON, got ${text}`) : value;
}

function pair(text: string): readonly [string, string] {
  const equals = text.indexOf('=');
  return equals < 1
    ? fail(`--header: expected name=value, got "${text}"`)
    : [text.slice(0, equals), text.slice(equals + 1)];
}
