import { BlockList, isIP } from 'node:net';

/** Addresses of IPv4 that are nobody's on the public Internet, or lead back into a network of ours (RFC 6890, IANA registry). */
const NOT_PUBLIC = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // also the metadata service of clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4');

/** Of IPv6 only this is the public Internet (RFC 4291 §2.4, IANA registry). */
const GLOBAL = new BlockList();
GLOBAL.addSubnet('2000::', 3, 'ipv6');

const NOT_GLOBAL = new BlockList();
for (const [network, prefix] of [
  ['2001::', 23], // Teredo, ORCHID, benchmarks
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4 carries an IPv4 address of any kind
  ['3fff::', 20],
  ['5f00::', 16],
] as const)
  NOT_GLOBAL.addSubnet(network, prefix, 'ipv6');

/**
 * Whether an address, written in any form that sockets take, is one of the public Internet: not this machine, a private or link-local
 * network, a metadata service, a multicast or a reserved one. An IPv6 address that carries one of IPv4 (mapped, NAT64) counts as that
 * one. What is no address is no. Pure; asked per connection that an outsider has named.
 */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC.check(address, 'ipv4');
  if (family !== 6 || address.includes('%')) return false; // A zone is never needed on the public Internet.
  const carried = carriedIpv4(address);
  if (carried !== undefined) return isPublicAddress(carried);
  return GLOBAL.check(address, 'ipv6') && !NOT_GLOBAL.check(address, 'ipv6');
}

/** The IPv4 address in an IPv4-mapped one (RFC 4291 §2.5.5.2) or one of NAT64 (RFC 6052 §2.1). */
function carriedIpv4(address: string): string | undefined {
  // The URL parser writes every form of an address in the same way.
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = text.split('::');
  const parts = (side: string): string[] => (side === '' ? [] : side.split(':'));
  const [first, last] = [parts(head), parts(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => '0');
  const groups = [...first, ...zeros, ...last].map((group) => Number.parseInt(group, 16));
  const prefix = groups.slice(0, 6).join(' ');
  if (prefix !== '0 0 0 0 0 65535' && prefix !== `${0x64} ${0xff9b} 0 0 0 0`) return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
