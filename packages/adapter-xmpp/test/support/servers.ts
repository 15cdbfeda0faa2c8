import { startEjabberd, startProsody, type XmppServer } from '@magpie/brokers';

/** The servers that the adapter is tested with. */
export const SERVERS = ['prosody', 'ejabberd'] as const;
export type ServerName = (typeof SERVERS)[number];

/**
 * Starts one without archives. Peers log in without TLS, by PLAIN.
 * @param components domains that may link up.
 * @param nodeOwners accounts that may make nodes.
 */
export function startServer(
  name: ServerName,
  components?: readonly string[],
  nodeOwners: readonly string[] = [],
): Promise<XmppServer> {
  const options = { archive: false, requireTls: false, nodeOwners, ...(components ? { components } : {}) } as const;
  if (name === 'ejabberd') return startEjabberd(options);
  return startProsody({ ...options, extraConfig: ['allow_unencrypted_plain_auth = true'] });
}
