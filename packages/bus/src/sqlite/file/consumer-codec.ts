import type { OutgoingEvent, TargetRequest } from '@magpie/contract';
import {
  type Attempt,
  type Commit,
  DEAD_LETTER_REASONS,
  type DeadLetter,
  type DeadLetterReason,
  type ExceptionRow,
  type Outcome,
  type Position,
} from '../../contract/index.ts';
import type { Positions } from '../../shared/positions.ts';
import type { WireChanges, WireDeadLetter, WireException, WireOutcome } from '../protocol/writer.ts';
import { decodeRecord, encodeRecord, RecordDamaged } from './event-record.ts';
import { packHeaders, unpackHeaders } from './header-json.ts';

/** Everything of a commit but its appends as the writer takes it; undefined when there is nothing. Throws `RangeError`. */
export function encodeChanges(change: Commit, positions: Positions): WireChanges | undefined {
  const { matched, consumers = {}, floors = [], exceptions = {}, deadLetters = {} } = change;
  const { outcomes = [], values = [] } = change;
  const { put = [], remove = [] } = exceptions;
  const { put: putLetters = [], remove: removeLetters = [] } = deadLetters;
  const lists = [...Object.values(consumers), floors, put, remove, putLetters, removeLetters, outcomes, values];
  if (matched === undefined && lists.every((list) => list.length === 0)) return undefined;
  return {
    ...(matched === undefined ? {} : { matched: positions.offset(matched) }),
    consumers,
    floors: floors.map(({ consumer, floor, waiting = null }) => ({
      ...{ consumer, waiting },
      floor: floor === null ? null : positions.offset(floor),
    })),
    putExceptions: put.map((row) => encodeException(row, positions)),
    removeExceptions: remove.map(({ consumer, position }) => ({ consumer, position: positions.offset(position) })),
    putDeadLetters: putLetters.map((letter) => encodeDeadLetter(letter, positions)),
    removeDeadLetters: removeLetters,
    outcomes: outcomes.map(encodeOutcome),
    values,
  };
}

type ExceptionDetail = Pick<ExceptionRow, 'lane' | 'state' | 'attempts' | 'nextAttempt'>;

function encodeException({ consumer, position, event, ...detail }: ExceptionRow, positions: Positions): WireException {
  const offset = positions.offset(position);
  return { consumer, position: offset, detail: JSON.stringify(detail), record: encodeRecord(event) };
}

/** Throws `RecordDamaged`. */
export function decodeException(
  { consumer, position, detail, record }: WireException,
  positions: Positions,
): ExceptionRow {
  const parsed: ExceptionDetail = parsedDetail(detail);
  return { consumer, position: positions.of(position), event: decodeRecord(record), ...parsed };
}

interface LetterDetail {
  readonly position?: Position;
  readonly at: number;
  readonly error: string;
  readonly message: string;
  readonly attempts: readonly Attempt[];
  readonly rendered?: { readonly outgoing: Omit<OutgoingEvent, 'body'>; readonly target: TargetRequest };
}

function encodeDeadLetter(letter: DeadLetter, positions: Positions): WireDeadLetter {
  const { id, consumer, reason, event, rendered, at, error, message, attempts, position } = letter;
  const plain = { at, error, message, attempts, ...(position === undefined ? {} : { position }) };
  const row = position === undefined || !positions.parse(position) ? null : positions.offset(position);
  const base = { id, consumer: consumer ?? null, reason, record: encodeRecord(event), position: row };
  if (rendered === undefined) return { ...base, detail: JSON.stringify(plain), renderedBody: null };
  const { body, headers, ...rest } = rendered.outgoing;
  const outgoing = { ...rest, headers: packHeaders(headers) };
  const detail: LetterDetail = { ...plain, rendered: { outgoing, target: rendered.target } };
  return { ...base, detail: JSON.stringify(detail), renderedBody: body };
}

/** Throws `RecordDamaged`. */
export function decodeDeadLetter(wire: WireDeadLetter): DeadLetter {
  const { rendered, ...plain }: LetterDetail = parsedDetail(wire.detail);
  const letter = { id: wire.id, reason: wire.reason, event: decodeRecord(wire.record), ...plain };
  const known = wire.consumer === null ? letter : { ...letter, consumer: wire.consumer };
  if (rendered === undefined) return known;
  const { outgoing, target } = rendered;
  const body = wire.renderedBody ?? new Uint8Array();
  return { ...known, rendered: { outgoing: { ...outgoing, headers: unpackHeaders(outgoing.headers), body }, target } };
}

function encodeOutcome(outcome: Outcome): WireOutcome {
  const { ref, consumer, at, ...detail } = outcome;
  return { ref, consumer, at, detail: JSON.stringify(detail) };
}

/** A stored outcome as the contract returns it. Called when a message's status is read. */
export function decodeOutcome({ ref, consumer, at, detail }: WireOutcome): Outcome {
  const parsed: Pick<Outcome, 'state' | 'confirmedBy' | 'attempts' | 'error'> = JSON.parse(detail);
  return { ref, consumer, at, ...parsed };
}

/** The fields beside a record, which no checksum covers. Throws `RecordDamaged`. */
function parsedDetail<Detail>(text: string): Detail {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RecordDamaged('the fields beside it are not JSON', { cause: error });
  }
}

const REASONS: ReadonlySet<string> = new Set(DEAD_LETTER_REASONS);

/** Whether a stored text is a reason. */
export const isReason = (text: string): text is DeadLetterReason => REASONS.has(text);
