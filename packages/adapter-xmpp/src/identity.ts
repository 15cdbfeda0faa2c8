import { Rejected } from '@magpie/contract';
import { escapeLocal, formatJid, jidProblem, normalJid, splitJid } from './codec/jid.ts';
import type { XmppConfig } from './config.ts';

/** Whom a connection speaks as. */
export interface Identity {
  /** The bare JID of our account, or the address that a component speaks as where nothing else is said. */
  readonly account: string;
  /** Set in component mode: all addresses of this domain are ours. */
  readonly domain: string | undefined;
}

/** The identity of a parsed connection. */
export function identityOf(
  { mode, jid, domain }: Pick<XmppConfig, 'mode' | 'jid' | 'domain'>,
  gatewayId: string,
): Identity {
  if (mode === 'client') return { account: normalJid(jid ?? ''), domain: undefined };
  const own = domain ?? '';
  return { account: jid ?? normalJid(formatJid({ local: escapeLocal(gatewayId), domain: own })), domain: own };
}

/** Whether a name is that of an account itself: its local part or its whole address. */
export const isOwnName = (name: string, account: string): boolean =>
  name === account || name === splitJid(account).local;

/**
 * The address of ours that a message comes from, as its target names it: a local part, or an address of our domain.
 * @throws Rejected when it is none of ours: a server ends the whole stream over such a stanza (XEP-0114).
 */
export function senderOf({ domain }: Identity, from: string): string {
  if (domain === undefined) throw new Rejected('"from" needs mode: component: an account speaks as itself only');
  const jid = splitJid(from.includes('@') || from === domain ? from : `${escapeLocal(from)}@${domain}`);
  const problem = jidProblem(jid);
  if (problem !== undefined) throw new Rejected(`from: "${from}" has ${problem}`);
  const sender = normalJid(formatJid(jid));
  if (splitJid(sender).domain !== domain) throw new Rejected(`from: "${from}" is no address of our domain ${domain}`);
  return sender;
}
