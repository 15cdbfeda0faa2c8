import { MagpieError, Throttled } from '@magpie/contract';

/** One invalid field. */
export interface FieldProblem {
  /** Part of the request that contains it. */
  readonly in: 'body' | 'query' | 'path' | 'header';
  /** JSON pointer (RFC 6901) into that part; for a header its name behind a slash. */
  readonly pointer: string;
  readonly detail: string;
}

/** Optional parts of a problem. */
export interface ProblemExtras {
  readonly errors?: readonly FieldProblem[];
  /** Response headers, such as `retry-after`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members of the body (RFC 9457 section 3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An error response as problem details. Thrown by handlers and hooks; the error handler writes it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(status: number, detail: string, { errors = [], headers = {}, members = {} }: ProblemExtras = {}) {
    super(detail);
    this.status = status;
    this.title = TITLES[status] ?? (status < 500 ? 'Bad request' : 'Internal error');
    this.errors = errors;
    this.headers = headers;
    this.members = members;
  }
}

/** Titles by status: one kind of problem per status, so that apps can tell them apart by either. */
export const TITLES: Readonly<Record<number, string>> = {
  400: 'Invalid request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'In progress',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Cannot be processed',
  426: 'Upgrade required',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  503: 'Unavailable',
  507: 'Insufficient storage',
};

/** Media type of every error response. */
export const PROBLEM_TYPE = 'application/problem+json';

/** A problem as JSON. `type` is stable per title. */
export interface ProblemJson {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance?: string;
  readonly errors?: readonly FieldProblem[];
}

/** Longest detail of a problem, and of one of its fields, in characters: requests are quoted in them. */
const LONGEST = { detail: 2000, field: 500 } as const;

const shortened = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most).toWellFormed()}…`;

const shortField = ({ in: part, pointer, detail }: FieldProblem): FieldProblem => ({
  in: part,
  pointer: shortened(pointer, LONGEST.field),
  detail: shortened(detail, LONGEST.field),
});

/** Body of a problem response (RFC 9457); `requestId` becomes the `instance`. */
export const problemJson = ({ status, title, message, errors, members }: Problem, requestId?: string): ProblemJson => ({
  ...members,
  type: `urn:magpie:problem:${title.toLowerCase().replace(/[^a-z]+/g, '-')}`,
  title,
  status,
  detail: shortened(message, LONGEST.detail),
  ...(requestId === undefined ? {} : { instance: `urn:uuid:${requestId}` }),
  ...(errors.length > 0 ? { errors: errors.map(shortField) } : {}),
});

/** `retry-after` from milliseconds: whole seconds, at least one. */
export const retryAfter = (ms: number): Readonly<Record<string, string>> => ({
  'retry-after': `${Math.max(1, Math.ceil(ms / 1000))}`,
});

/** The gateway cannot accept this now; `ms` is the time until a retry. */
export const unavailable = (detail: string, ms: number, status: 429 | 503 | 507 = 503): Problem =>
  new Problem(status, detail, { headers: retryAfter(ms) });

/** A single wrong field as a 400. */
export const invalidField = (part: FieldProblem['in'], pointer: string, detail: string): Problem =>
  new Problem(400, 'The request is invalid: see errors.', { errors: [{ in: part, pointer, detail }] });

/** Converts any error to a problem. Internal errors reveal no details. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof MagpieError) return fromTaxonomy(error);
  return fromFramework(error) ?? new Problem(500, 'Internal error of the gateway: see its log for the cause.');
}

function fromTaxonomy(error: MagpieError): Problem {
  if (error.name === 'TooLarge') return new Problem(413, error.message);
  if (error.name === 'Rejected') return new Problem(422, error.message);
  return unavailable(
    'The gateway cannot do this now: try again later.',
    error instanceof Throttled ? error.retryAfter : 1000,
  );
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** A Fastify error with a 4xx status: its message is meant for the sender. */
function fromFramework(error: unknown): Problem | undefined {
  if (!isRecord(error)) return undefined;
  const { statusCode, message } = error;
  const isClient = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return isClient ? new Problem(statusCode, String(message)) : undefined;
}
