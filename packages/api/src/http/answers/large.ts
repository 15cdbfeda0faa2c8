import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type AnswerBudget, type AnswerShare, PAGE_COST } from './answer-budget.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The answer's share of the budget for large answers; undefined where answers are small. */
    answerShare: AnswerShare | undefined;
  }
}

/** Size from which an answer is sent piece by piece, as its client reads it, bytes. */
const PIECEWISE = 256 * 1024;

const TYPE = 'application/json; charset=utf-8';

/** Waits until a large answer may be made. Run before the handler of such a resource. */
export const takeTurn =
  (budget: AnswerBudget) =>
  async (request: FastifyRequest, { raw }: FastifyReply): Promise<void> => {
    const share = await budget.acquire(PAGE_COST, () => request.raw.socket.destroy());
    request.answerShare = share;
    if (raw.closed) share.end();
    else raw.once('close', () => share.end());
  };

/** Sends JSON text whose size is known. */
export function sendText({ answerShare }: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  answerShare?.shrink(2 * text.length);
  return reply.type(TYPE).send(text);
}

/** A list in an answer. */
export interface List {
  readonly name: string;
  /** JSON texts, produced one by one as the client reads. */
  readonly items: Iterable<string>;
  /** Other members of the answer, after the list. */
  readonly rest: Readonly<Record<string, unknown>>;
  /** Approximate size of the whole list in bytes. */
  readonly bytes: number;
}

/** Sends an object with a list of any size. A large one is streamed, so that its JSON is never in memory as a whole. */
export function sendList(request: FastifyRequest, reply: FastifyReply, list: List): FastifyReply {
  if (list.bytes < PIECEWISE) return sendText(request, reply, [...pieces(list)].join(''));
  request.answerShare?.shrink(2 * list.bytes);
  return reply.type(TYPE).send(Readable.from(pieces(list), { objectMode: false }));
}

function* pieces({ name, items, rest }: List): Generator<string> {
  yield `{${JSON.stringify(name)}:[`;
  let separator = '';
  for (const item of items) {
    yield separator + item;
    separator = ',';
  }
  const members = JSON.stringify(rest);
  yield members === '{}' ? ']}' : `],${members.slice(1)}`;
}
