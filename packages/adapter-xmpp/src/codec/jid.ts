/** An XMPP address (RFC 7622): `local@domain/resource`. */
export interface Jid {
  /** Empty for the address of a server or service. */
  readonly local: string;
  readonly domain: string;
  readonly resource?: string;
}

/** Splits at the first `/`, then at the first `@`. Never fails: `jidProblem` judges the result. */
export function splitJid(text: string): Jid {
  const slash = text.indexOf('/');
  const bare = slash < 0 ? text : text.slice(0, slash);
  const at = bare.indexOf('@');
  return {
    local: at < 0 ? '' : bare.slice(0, at),
    domain: at < 0 ? bare : bare.slice(at + 1),
    ...(slash < 0 ? {} : { resource: text.slice(slash + 1) }),
  };
}

/** The inverse of `splitJid`. */
export const formatJid = ({ local, domain, resource }: Jid): string =>
  `${local === '' ? '' : `${local}@`}${domain}${resource === undefined ? '' : `/${resource}`}`;

/** Local part and domain in lower case, as servers compare them; the resource is kept. */
export function normalJid(text: string): string {
  const jid = splitJid(text);
  return formatJid({ ...jid, local: jid.local.toLowerCase(), domain: jid.domain.toLowerCase() });
}

/** The address without its resource, in lower case. */
export function bareJid(text: string): string {
  const { local, domain } = splitJid(text);
  return formatJid({ local: local.toLowerCase(), domain: domain.toLowerCase() });
}

/** The resource: a client's name, or an occupant's nick. */
export const resourceOf = (text: string): string | undefined => splitJid(text).resource;

const ESCAPES: Readonly<Record<string, string>> = {
  ' ': '\\20',
  '"': '\\22',
  '&': '\\26',
  "'": '\\27',
  '/': '\\2f',
  ':': '\\3a',
  '<': '\\3c',
  '>': '\\3e',
  '@': '\\40',
};
const CODES = '20|22|26|27|2f|3a|3c|3e|40|5c';

/** XEP-0106: makes any text one local part. A backslash is escaped only where it would read as an escape. */
export const escapeLocal = (text: string): string =>
  text.replace(new RegExp(`\\\\(?=${CODES})`, 'g'), '\\5c').replace(/[ "&'/:<>@]/g, (char) => ESCAPES[char] ?? char);

/** The inverse of `escapeLocal`. */
export const unescapeLocal = (text: string): string =>
  text.replace(new RegExp(`\\\\(${CODES})`, 'g'), (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

const LIMIT = 1023;
const CONTROL = /[\u0000-\u001f\u007f\ufffe\uffff]/;

/** The reason why RFC 7622 forbids an address, as a sentence; undefined when it is valid. */
export function jidProblem({ local, domain, resource }: Jid): string | undefined {
  if (domain === '') return 'an address without a domain';
  if (/[\s@/"&'<>\\]/.test(domain)) return `a character that no domain may have in "${domain}"`;
  if (/[ "&'/:<>@]/.test(local)) return `one of the characters " & ' / : < > @ or a space in the local part "${local}"`;
  if (/^\\20|\\20$/.test(local)) return 'a local part that begins or ends with an escaped space (XEP-0106)';
  if (resource === '') return 'an empty resource after "/"';
  const parts = { 'local part': local, domain, resource: resource ?? '' };
  for (const [name, part] of Object.entries(parts)) {
    if (CONTROL.test(part)) return `a control character in the ${name}`;
    if (!part.isWellFormed()) return `a lone surrogate in the ${name}`;
    const bytes = Buffer.byteLength(part);
    if (bytes > LIMIT) return `a ${name} of ${bytes} bytes, more than ${LIMIT}`;
  }
  return undefined;
}
