import { loadTls } from '@magpie/adapter-kit';
import { splitJid } from './codec/jid.ts';
import { DEFAULT_STANZA, type XmppConfig } from './config.ts';
import type { Identity } from './identity.ts';
import { ClientStream, type ClientStreamEvents } from './link/client-stream.ts';
import { ComponentStream } from './link/component-stream.ts';
import { findEndpoints } from './link/dial.ts';
import type { XmlStream } from './link/stream.ts';

/** Stanzas of this size are always received, bytes: servers accept larger ones from each other than from a client. */
const LEAST_RECEIVED = 1024 * 1024;

/** How a connection opens a stream: dials and negotiates, as an account or as a component. Called once per login. */
export async function streamOpener(
  { url, password, secret, tls, maxStanzaBytes = DEFAULT_STANZA, maxDepth }: XmppConfig,
  identity: Identity,
  resource: string,
): Promise<(events: ClientStreamEvents, signal: AbortSignal) => Promise<XmlStream>> {
  const { local: username, domain } = splitJid(identity.account);
  const endpoints = await findEndpoints(url, domain);
  const limits = { stanzaBytes: Math.max(LEAST_RECEIVED, maxStanzaBytes * 4), depth: maxDepth };
  // A component's domain is a name within the server; the certificate is that of the machine that the url names (XEP-0114 has none).
  const host = identity.domain === undefined ? domain : (endpoints[0]?.host ?? domain);
  const common = { endpoints, domain, limits, tls: await loadTls(tls, host) };
  if (identity.domain !== undefined) {
    const login = { ...common, secret: secret?.reveal() ?? '', jid: `${identity.account}/${resource}` };
    return (events, signal) => ComponentStream.open(login, events, signal);
  }
  const as = { username, password: password?.reveal() ?? '', resource };
  return (events, signal) => ClientStream.open({ ...common, ...as, tlsRequired: tls.required }, events, signal);
}
