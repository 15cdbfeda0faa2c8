/** The XMPP adapter: one-to-one messages and rooms over one client login. */
export type { XmppConfig, XmppSource, XmppTarget } from './config.ts';
export { xmppAdapter } from './definition.ts';
export { MAPPING, type MappingRow } from './mapping.ts';
