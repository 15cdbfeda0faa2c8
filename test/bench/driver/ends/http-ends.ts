import { SEQUENCE_OFFSET, templateBody, writeSequence } from '../body.ts';
import { framed, type Line, openLine } from '../line.ts';
import type { SourceSpecification } from '../specification.ts';
import type { Listener, Source } from './ends.ts';

const HEAD_END = Buffer.from('\r\n\r\n');
/** Statuses of 400 and more are a refusal. */
const FIRST_REFUSAL = 400;

/** What an answer says. */
export interface Answer {
  readonly status: number;
  /** Bytes of head and body. */
  readonly size: number;
}

/** Reads the answer at the beginning of `bytes`; undefined when it is not complete. Throws when its length is not given. */
export function readAnswer(bytes: Buffer): Answer | undefined {
  const head = bytes.indexOf(HEAD_END);
  if (head < 0) return undefined;
  const status = (bytes[9]! - 48) * 100 + (bytes[10]! - 48) * 10 + (bytes[11]! - 48);
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head))?.[1];
  if (length === undefined && status !== 204) throw new Error('an HTTP answer has no Content-Length');
  const size = head + HEAD_END.length + Number(length ?? 0);
  return bytes.length < size ? undefined : { status, size };
}

interface Connection {
  readonly line: Line;
  readonly request: Buffer;
  sequence: number;
}

/** POSTs on keep-alive connections, one request at a time on each. With `answers`, an accepted message counts as arrived. */
export async function httpSource(
  specification: Extract<SourceSpecification, { kind: 'http' }>,
  body: number,
  answers: boolean,
  listener: Listener,
): Promise<Source> {
  const { bytes, sequenceAt } = requestTemplate(specification, body);
  const idle: Connection[] = [];
  const all: Connection[] = [];
  const done = (connection: Connection, { status }: Answer): void => {
    idle.push(connection);
    if (status >= FIRST_REFUSAL) listener.refused(connection.sequence, `HTTP status ${status}`);
    else if (answers) listener.arrived(connection.sequence);
  };
  const open = async (): Promise<Connection> => {
    const read = framed((chunk) => {
      const answer = readAnswer(chunk);
      if (!answer) return 0;
      done(connection, answer);
      return answer.size;
    });
    const line = await openLine(
      specification.port,
      (chunk) => {
        read(chunk);
        listener.settled();
      },
      (error) => listener.failed(error),
    );
    const connection: Connection = { line, request: Buffer.from(bytes), sequence: -1 };
    return connection;
  };
  for (let count = 0; count < specification.connections; count++) all.push(await open());
  idle.push(...all);
  return {
    room: () => idle.length,
    send: (first, count) => {
      for (let index = 0; index < count; index++) {
        const connection = idle.pop()!;
        connection.sequence = first + index;
        // The socket keeps the buffer until it is written; its answer comes later than that.
        writeSequence(connection.request, sequenceAt, first + index);
        connection.line.write(connection.request);
      }
    },
    close: () => {
      for (const { line } of all) line.close();
    },
  };
}

function requestTemplate({ path, before, after, port }: Extract<SourceSpecification, { kind: 'http' }>, body: number) {
  const content = Buffer.concat([Buffer.from(before), templateBody(body), Buffer.from(after)]);
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'content-type: application/json',
    `content-length: ${content.length}`,
  ];
  const start = Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
  return {
    bytes: Buffer.concat([start, content]),
    sequenceAt: start.length + Buffer.byteLength(before) + SEQUENCE_OFFSET,
  };
}
