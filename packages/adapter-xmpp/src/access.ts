import type { AccessRules, Origin } from '@magpie/contract';
import { nodeAddresses } from './codec/addresses.ts';
import { bareJid, jidProblem, splitJid } from './codec/jid.ts';

const AFFILIATIONS = new Set(['owner', 'admin', 'member', 'none']);
const FORMS = 'expected an affiliation (owner, admin, member, none) or a JID pattern (user@example.org, *@example.org)';

/**
 * Rules of `allow`. In a room the affiliation or the real JID decides, never the nick, which anyone may take. In
 * one-to-one messages the sender's JID decides, which the servers verify.
 */
export const access: AccessRules = {
  open: true,
  // A service need not say who has published, and some repeat what the publisher has said.
  anonymous: [nodeAddresses.scheme],
  validate(entry) {
    if (AFFILIATIONS.has(entry)) return undefined;
    const { local, domain, resource } = splitJid(entry);
    if (local === '' || resource !== undefined) return `"${entry}": ${FORMS}`;
    const problem = jidProblem({ local: local === '*' ? 'any' : local, domain });
    if (problem !== undefined) return `"${entry}" has ${problem}; ${FORMS}`;
    const wild = local !== '*' && local.includes('*');
    return wild || domain.includes('*') ? `"${entry}": "*" can only replace a whole local part; ${FORMS}` : undefined;
  },
  permits(entry, origin) {
    // Only occupants of a room have one.
    if (AFFILIATIONS.has(entry)) return origin.affiliation === entry;
    const sender = senderJid(origin);
    return sender !== undefined && matchesJid(entry, sender);
  },
};

/** The bare JID verified by the servers; undefined in a room that hides it. */
function senderJid(origin: Origin): string | undefined {
  const jid = origin.room === undefined ? origin.from : origin.realJid;
  return typeof jid === 'string' && jid !== '' ? bareJid(jid) : undefined;
}

function matchesJid(entry: string, sender: string): boolean {
  const pattern = splitJid(entry.toLowerCase());
  const jid = splitJid(sender);
  return pattern.domain === jid.domain && jid.local !== '' && (pattern.local === '*' || pattern.local === jid.local);
}
