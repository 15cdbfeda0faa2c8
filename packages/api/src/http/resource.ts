import type { Action } from '@magpie/access';
import type {
  ContextConfigDefault,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProvider,
  HTTPMethods,
  onRequestHookHandler,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
  RouteGenericInterface,
  RouteOptions,
} from 'fastify';
import type { z } from 'zod';
import { callerOf, permit } from './access/permit.ts';
import { PROBLEM_TYPE, Problem, TITLES } from './problems/problem.ts';
import { problemSchema } from './problems/problem-schema.ts';

/** Requests are parsed by their schemas; answers are documented by their schemas and written without parsing. */
interface RequestTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
  readonly serializer: unknown;
}

type ZodRoute<S extends FastifySchema> = RouteOptions<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  RouteGenericInterface,
  ContextConfigDefault,
  S,
  RequestTypes
>;

/** Methods that resources have. */
export type Method = 'GET' | 'POST' | 'DELETE';

/** Waits until a large answer may be made. */
export type TakeTurn = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Input and output of one method of a path. Routes, validation, OpenAPI and the documentation are made from it. */
export interface ResourceDefinition<S extends FastifySchema, Deps> {
  readonly method: Method;
  /** Path with `:name` parameters. */
  readonly url: string;
  readonly summary: string;
  readonly schema: S;
  /** Problem statuses it may answer with, besides those of every resource. */
  readonly problems?: readonly number[];
  /** Whether it answers without a key. */
  readonly open?: true;
  /** What the caller must be allowed to do: everywhere, or where the handler says; without it any key will do. */
  readonly needs?: { readonly action: Action; readonly scope: 'everywhere' | 'place' };
  /** Media types of the body, when not just JSON. */
  readonly consumes?: readonly string[];
  /** Whether its answers may be large: requests then wait for their turn, see `AnswerBudget`. */
  readonly large?: true;
  readonly validatorCompiler?: Exclude<ZodRoute<S>['validatorCompiler'], undefined>;
  /** Makes the handler, once per application. */
  readonly handler: (deps: Deps) => ZodRoute<S>['handler'];
}

/** A definition with its types closed over, ready to be added to an application. */
export interface Resource<Deps> {
  readonly method: Method;
  readonly url: string;
  readonly summary: string;
  readonly open: boolean;
  readonly needs: { readonly action: Action; readonly scope: 'everywhere' | 'place' } | undefined;
  /** `takeTurn` runs before the handler of a resource with large answers. */
  add(app: FastifyInstance, deps: Deps, takeTurn: TakeTurn): void;
}

/** Problems of every resource that needs a key. */
const COMMON = [401, 421, 429] as const;

/** Problems of every resource that needs a grant or changes something: pages of other origins are refused. */
const FORBIDDEN = [403] as const;

/** Problems of every resource with large answers: the wait for its turn took too long. */
const LARGE = [503] as const;

/** Closes over the types of a definition. */
export function defineResource<const S extends FastifySchema, Deps>(
  definition: ResourceDefinition<S, Deps>,
): Resource<Deps> {
  const {
    method,
    url,
    summary,
    schema,
    problems = [],
    open = false,
    needs,
    consumes,
    handler,
    large,
    ...rest
  } = definition;
  const described = {
    ...schema,
    summary,
    ...(consumes ? { consumes: [...consumes] } : {}),
    ...(open ? { security: [] } : {}),
    ...(needs ? { 'x-magpie-action': needs.action } : {}),
    response: {
      ...problemResponses([
        ...(open ? [] : COMMON),
        ...(method === 'GET' && !needs ? [] : FORBIDDEN),
        ...(large ? LARGE : []),
        ...problems,
      ]),
      ...responsesOf(schema),
    },
  };
  return {
    method,
    url,
    summary,
    open,
    needs,
    add: (app, deps, takeTurn) => {
      const hooks = {
        ...(large ? { preHandler: takeTurn } : {}),
        ...(needs?.scope === 'everywhere' ? { onRequest: needing(needs.action) } : {}),
      };
      const route: ZodRoute<S> = {
        ...{ ...rest, ...hooks, method, url },
        ...{ schema: described, config: { open }, handler: handler(deps) },
      };
      app.withTypeProvider<RequestTypes>().route(route);
    },
  };
}

/** Refuses before the body is read. */
const needing =
  (action: Action): onRequestHookHandler =>
  (request, _, done) => {
    permit(callerOf(request), action);
    done();
  };

const responsesOf = ({ response }: FastifySchema): object => (typeof response === 'object' && response ? response : {});

/** Problem responses as a route's schema documents them. */
export const problemResponses = (statuses: readonly number[]): Readonly<Record<number, object>> =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      { description: TITLES[status] ?? 'Problem', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
    ]),
  );

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Adds resources, and 405 with `Allow` (RFC 9110, 15.5.6) for all other methods of their paths. */
export function addResources<Deps>(
  app: FastifyInstance,
  resources: readonly Resource<Deps>[],
  deps: Deps,
  takeTurn: TakeTurn,
): void {
  for (const each of resources) each.add(app, deps, takeTurn);
  for (const url of new Set(resources.map((each) => each.url))) {
    const methods = resources.filter((each) => each.url === url).map(({ method }) => method);
    addOtherMethods(app, url, methods);
  }
}

/** Answers methods that a path does not have. */
export function addOtherMethods(app: FastifyInstance, url: string, methods: readonly Method[]): void {
  const allowed: readonly HTTPMethods[] = methods.includes('GET') ? [...methods, 'HEAD'] : methods;
  const allow = allowed.join(', ');
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    schema: { hide: true },
    handler: async (request, reply) => {
      if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
      throw new Problem(405, `Expected ${allow} for ${url}, got ${request.method}.`, { headers: { allow } });
    },
  });
}
