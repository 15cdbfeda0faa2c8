import type { Capabilities } from '../codec/stanza/caps.ts';
import { NS } from '../codec/stanza/namespaces.ts';

const FEATURES = [NS.discoInfo, NS.discoItems, NS.commands, NS.caps, NS.ping, NS.receipts];

/**
 * What our addresses say that they are. All contacts say the same, so that a client which has asked one knows all of them: their
 * names are on their cards.
 */
export const CAPABILITIES = {
  contact: { category: 'client', type: 'bot', name: 'Magpie', features: [...FEATURES, NS.vcard] },
  // The server has its card.
  account: { category: 'client', type: 'bot', name: 'Magpie', features: FEATURES },
  domain: { category: 'component', type: 'generic', name: 'Magpie', features: FEATURES },
} as const satisfies Readonly<Record<string, Capabilities>>;
