import { BlockList, isIP } from 'node:net';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4'); // RFC 1122 section 3.2.1.3
LOOPBACK.addAddress('::1', 'ipv6'); // RFC 4291 section 2.5.3

/**
 * Whether only this machine can reach a host: `localhost`, an IPv4 address of 127.0.0.0/8, or `::1` in any spelling, IPv6 with
 * or without brackets. Every other name is no, whatever it resolves to today. Never throws. The rule by which the
 * configuration and the API decide that no keys are needed: asked when a file is loaded, before listening, and per request.
 */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (bare === 'localhost') return true;
  const family = isIP(bare);
  if (family === 0 || bare.includes('%')) return false; // A zone names an interface of this or another machine.
  return LOOPBACK.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}
