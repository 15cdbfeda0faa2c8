import { MagpieError } from '@magpie/contract';

/** One field that is wrong. */
export interface FieldProblem {
  /** JSON pointer into the body, or the name of a query parameter. */
  readonly pointer: string;
  readonly detail: string;
}

/** An error response as RFC 9457 problem details. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    title: string,
    detail: string,
    more: { readonly errors?: readonly FieldProblem[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.status = status;
    this.title = title;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }
}

/** Body of a problem response. `type` is stable per kind of problem. */
export const problemBody = ({ status, title, message, errors }: Problem, instance: string): object => ({
  type: `urn:magpie:problem:${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`,
  title,
  status,
  detail: message,
  instance,
  ...(errors.length > 0 ? { errors } : {}),
});

interface FastifyLike {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message: string;
  readonly validation?: readonly { readonly instancePath: string; readonly message?: string }[];
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Body too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  503: 'Unavailable',
};

/** Any error as a problem. What is not the sender's fault tells nothing of the inside. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof MagpieError) {
    return error.name === 'TooLarge'
      ? new Problem(413, 'Body too large', error.message)
      : new Problem(422, 'Cannot be processed', error.message);
  }
  const { statusCode = 500, validation, message } = error as FastifyLike;
  if (validation) {
    const errors = validation.map(({ instancePath, message: detail = 'invalid' }) => ({
      pointer: instancePath,
      detail,
    }));
    return new Problem(400, 'Invalid request', 'The request does not fit its schema.', { errors });
  }
  if (statusCode >= 400 && statusCode < 500)
    return new Problem(statusCode, TITLES[statusCode] ?? 'Bad request', message);
  return new Problem(500, 'Internal error', 'The gateway could not answer; its log says why.');
}
