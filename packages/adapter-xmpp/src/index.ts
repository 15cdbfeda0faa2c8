/** The XMPP adapter: one-to-one messages and rooms over one client login. */

export { MAPPING } from './codec/mapping.ts';
export type { XmppConfig, XmppSource, XmppTarget } from './config.ts';
export { xmppAdapter } from './definition.ts';
