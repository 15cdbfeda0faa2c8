import { createHash } from 'node:crypto';
import { type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';

/** What an entity says about itself (XEP-0030). */
export interface Capabilities {
  readonly category: string;
  readonly type: string;
  readonly name: string;
  readonly features: readonly string[];
}

/** Who makes these capabilities. */
const NODE = 'urn:magpie';

/** XEP-0115 §5: the hash by which clients know capabilities that they have asked for before. */
export function capsHash({ category, type, name, features }: Capabilities): string {
  const parts = [`${category}/${type}//${name}`, ...features.toSorted()];
  return createHash('sha1')
    .update(parts.map((part) => `${part}<`).join(''))
    .digest('base64');
}

/** The element of a presence that states them. */
export const capsElement = (capabilities: Capabilities): Element =>
  xml('c', { xmlns: NS.caps, hash: 'sha-1', node: NODE, ver: capsHash(capabilities) });

/** The node by which a client asks for them. */
export const capsNode = (capabilities: Capabilities): string => `${NODE}#${capsHash(capabilities)}`;
