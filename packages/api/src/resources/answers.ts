import type { z } from 'zod';
import { serverFrameSchema } from '../stream/frames.ts';
import { reloadReportSchema } from './config/schema.ts';
import {
  deadLetterSchema,
  deadLettersSchema,
  droppedSchema,
  retriedSchema,
  retryingSchema,
} from './dead-letters/schema.ts';
import { messageStatusSchema } from './events/schema.ts';
import { acceptedMessageSchema } from './messages/schema.ts';
import { decidedSchema, targetsSchema } from './targets/schema.ts';

/** Schemas of the API's answers, for its clients: the command line parses every answer with them. */
export const ANSWERS = {
  /** `POST /v1/messages` with one message. */
  accepted: acceptedMessageSchema,
  /** `GET /v1/messages/{ref}`. */
  message: messageStatusSchema,
  /** `GET /v1/targets`. */
  targets: targetsSchema,
  /** `POST /v1/targets/{consumer}/retry` and `…/dead-letter`. */
  decided: decidedSchema,
  /** `GET /v1/dead-letters`. */
  deadLetters: deadLettersSchema,
  /** `GET /v1/dead-letters/{id}`. */
  deadLetter: deadLetterSchema,
  /** `POST /v1/dead-letters/{id}/retry`. */
  retried: retriedSchema,
  /** `POST /v1/dead-letters/retry`. */
  retrying: retryingSchema,
  /** `POST /v1/dead-letters/drop`. */
  dropped: droppedSchema,
  /** `POST /v1/config/reload`. */
  reload: reloadReportSchema,
  /** A frame of `/v1/stream`. */
  frame: serverFrameSchema,
} as const;

/** A checked answer. */
export type Answer<Name extends keyof typeof ANSWERS> = z.output<(typeof ANSWERS)[Name]>;
