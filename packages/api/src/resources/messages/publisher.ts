import { HOP_LIMIT, Rejected } from '@magpie/contract';
import type { Gateway, PublishResult } from '@magpie/core';
import { permitAt, permitSomewhere } from '../../http/access/permit.ts';
import { invalidField, Problem, retryAfter, unavailable } from '../../http/problems/problem.ts';
import { httpAdapter } from './http-adapter.ts';
import type { RequestFacts } from './request-facts.ts';
import type { Message } from './schema.ts';
import { toDirect, toEvent } from './to-event.ts';
import { createTurnBatch, type TurnBatch } from './turn-batch.ts';

/** A durably stored message. */
export interface Accepted {
  readonly ref: string;
  readonly position: string;
}

/** Publishes messages of requests. */
export interface Publisher {
  /**
   * Resolves once the message is durable; a repeat with the same idempotency key gets the first result. Throws
   * `Problem`: 400 for a field, 403 without a grant, 409 while the same key is under way, 413 too large, 422 the key was used for another
   * message, or the message has passed this gateway or too many others; temporary: 429 a target's backlog is full, 507
   * the disk is full, 503 the gateway stops.
   */
  publish(message: Message, facts: RequestFacts): Promise<Accepted>;
}

/** Makes the publisher of an API; it tracks the idempotency keys in progress. */
export function createPublisher(gateway: Gateway): Publisher {
  const underWay = new Set<string>();
  const check = (): void => {
    if (gateway.state !== 'running')
      throw unavailable(`The gateway accepts no messages: it is ${gateway.state}.`, 1000);
  };
  const turn = createTurnBatch(gateway, check);
  return {
    publish: async (message, facts) => {
      check();
      refuseLoop(facts.via, gateway.id);
      const key = facts.idempotencyKey && `${facts.caller.principal ?? ''}\n${facts.idempotencyKey}`;
      if (!key) return accept(await send(gateway, turn, message, facts));
      if (underWay.has(key)) throw stillUnderWay();
      underWay.add(key);
      try {
        return accept(await send(gateway, turn, message, facts));
      } finally {
        underWay.delete(key);
      }
    },
  };
}

/** Refuses messages that no route would accept, instead of storing them in vain. */
function refuseLoop(via: readonly string[], gatewayId: string): void {
  const passed = `magpie-via: ${via.join(', ')}`;
  if (via.includes(gatewayId))
    throw new Problem(422, `This message has already passed this gateway (${passed}): no route accepts it.`);
  if (via.length >= HOP_LIMIT)
    throw new Problem(
      422,
      `This message has passed ${via.length} gateways (${passed}); the limit is ${HOP_LIMIT}: no route accepts it.`,
    );
}

/**
 * Value of `retry-after` while the first request with the same key is in progress, in ms: it waits for the disk, rarely
 * for long.
 */
const UNDER_WAY_MS = 1000;

const stillUnderWay = (): Problem =>
  new Problem(409, 'A request with this Idempotency-Key is still in progress: try again as Retry-After says.', {
    headers: retryAfter(UNDER_WAY_MS),
  });

function send(gateway: Gateway, turn: TurnBatch, message: Message, facts: RequestFacts): Promise<PublishResult> {
  if (!message.to) {
    const event = toEvent(gateway, message, message.topic!, facts);
    permitAt(facts.caller, 'publish', httpAdapter.type, event.address, gateway);
    return turn.publish(event);
  }
  turn.flush(); // Messages enter the log in the order of their arrival.
  return sendDirect(gateway, message, message.to, facts);
}

async function sendDirect(
  gateway: Gateway,
  message: Message,
  to: NonNullable<Message['to']>,
  facts: RequestFacts,
): Promise<PublishResult> {
  permitSomewhere(facts.caller, 'publish', to.connection);
  const direct = toDirect(gateway, message, to, facts);
  try {
    return await gateway.direct(direct, (connection, address) =>
      permitAt(facts.caller, 'publish', connection, address, gateway),
    );
  } catch (error) {
    if (error instanceof Rejected) throw invalidField('body', '/to', error.message);
    throw error;
  }
}

function accept(result: PublishResult): Accepted {
  switch (result.type) {
    case 'stored':
    case 'duplicate':
      return { ref: result.ref, position: result.position };
    case 'mismatch':
      throw new Problem(422, `This Idempotency-Key was used for another message: ${result.ref}.`);
    case 'refused':
      throw new Problem(413, `The message was refused: ${result.reason}.`);
    case 'unavailable':
      throw unavailable(
        `The message could not be stored now: ${result.reason}. Try again as Retry-After says.`,
        result.retryAfter,
        STATUS_OF[result.cause],
      );
  }
}

/** Why a message cannot be stored now, as a status: slow down, no room, or no service. */
const STATUS_OF = { backlog: 429, disk: 507, failed: 503 } as const;
