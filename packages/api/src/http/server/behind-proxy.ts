import type { FastifyInstance, FastifyServerOptions } from 'fastify';

/** What stands between clients and an API. */
export interface ProxySettings {
  /** Addresses and networks whose `X-Forwarded-…` headers are believed, or the number of proxies in a row. Default: none. */
  readonly trustProxy?: number | readonly string[] | undefined;
  /** Path under which clients see the API, such as `/magpie`. Default: none. */
  readonly basePath?: string | undefined;
}

/** The options of the framework that make the address of the client and the path right behind a proxy. */
export function proxyOptions({
  trustProxy,
  basePath,
}: ProxySettings): Pick<FastifyServerOptions, 'trustProxy' | 'rewriteUrl'> {
  return {
    ...(trustProxy === undefined ? {} : { trustProxy: trusted(trustProxy) }),
    ...(basePath === undefined ? {} : { rewriteUrl: ({ url = '/' }) => withoutBase(url, basePath) }),
  };
}

/** Hop 0 is whoever has opened the connection. */
const trusted = (proxies: number | readonly string[]) =>
  typeof proxies === 'number' ? (_: string, hop: number): boolean => hop < proxies : [...proxies];

/** Proxies pass the prefix on or remove it, so both forms of a path are known. */
function withoutBase(url: string, basePath: string): string {
  if (!url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}

/**
 * Adds the prefix to `Location` and `Link`, and makes the `Host` that which the client has asked for, where the proxy that says so is
 * believed. To be called before access is checked: origins are compared with the host.
 */
export function addProxy(app: FastifyInstance, { trustProxy, basePath }: ProxySettings): void {
  if (trustProxy !== undefined) {
    app.addHook('onRequest', (request, _, done) => {
      if (request.headers['x-forwarded-host'] !== undefined) request.raw.headers.host = request.host;
      done();
    });
  }
  if (basePath === undefined) return;
  app.addHook('onSend', (_, reply, _payload, done) => {
    const { location, link } = reply.getHeaders();
    if (typeof location === 'string' && location.startsWith('/')) reply.header('location', `${basePath}${location}`);
    if (typeof link === 'string') reply.header('link', link.replaceAll('</', `<${basePath}/`));
    done();
  });
}
