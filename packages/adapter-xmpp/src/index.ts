/** The XMPP adapter: one-to-one messages and rooms over one client login. */

export { MAPPING } from './codec/mapping.ts';
export type { XmppConfig } from './config.ts';
export { xmppAdapter } from './definition.ts';
export type { XmppSource, XmppTarget } from './route-keys.ts';
