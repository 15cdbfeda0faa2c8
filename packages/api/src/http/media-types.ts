import { decodeUtf8, errorMessage, isTooDeep, MAX_JSON_DEPTH } from '@magpie/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** Media types of request bodies, nothing else: a browser cannot send any of them to another origin without asking first. */
export const MEDIA_TYPES = ['application/json', 'application/x-ndjson'] as const;

const ACCEPTED = /^application\/(json|x-ndjson)(?: *; *charset="?utf-8"?)?$/i;

/**
 * Parses request bodies: JSON and JSON lines in UTF-8. Any other content type or coding ends with 415; JSON that is nested
 * too deep, has a key `__proto__` or is malformed with 400.
 */
export function addMediaTypes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  const parseJson = (request: FastifyRequest, bytes: Buffer): Promise<unknown> => {
    const text = textOf(bytes);
    return new Promise((resolve, reject) => {
      void parse(request, text, (error, value) => (error ? reject(notJson(error)) : resolve(value)));
    });
  };
  app.addHook('onRequest', async ({ headers }) => checkType(headers));
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, bytes: Buffer) =>
    parseJson(request, bytes),
  );
  app.addContentTypeParser(
    'application/x-ndjson',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, bytes: Buffer) => {
      const lines = linesOf(bytes).filter(({ text }) => text.trim() !== '');
      return Promise.all(
        lines.map(({ text, number }) =>
          parseJson(request, Buffer.from(text)).catch((error: unknown) => {
            throw new Problem(400, `Line ${number}: ${errorMessage(error)}`);
          }),
        ),
      );
    },
  );
}

function checkType({ 'content-type': type, 'content-encoding': coding }: FastifyRequest['headers']): void {
  if (type !== undefined && !ACCEPTED.test(type)) {
    throw new Problem(415, `Expected a body of type ${MEDIA_TYPES.join(' or ')} in UTF-8, got "${type}".`);
  }
  if (coding !== undefined && coding !== 'identity') {
    throw new Problem(415, `Expected a body without content coding, got "${coding}".`);
  }
}

function textOf(bytes: Buffer): string {
  if (isTooDeep(bytes)) throw new Problem(400, `Expected JSON of at most ${MAX_JSON_DEPTH} levels.`);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Problem(400, 'Expected JSON in UTF-8: the body has other bytes.');
  return text;
}

const notJson = (error: Error): Problem => new Problem(400, `Expected JSON: ${errorMessage(error.cause ?? error)}.`);

const linesOf = (bytes: Buffer): readonly { readonly text: string; readonly number: number }[] =>
  textLines(bytes).map((text, index) => ({ text, number: index + 1 }));

function textLines(bytes: Buffer): readonly string[] {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new Problem(400, 'Expected lines of JSON in UTF-8: the body has other bytes.');
  return text.split('\n');
}
