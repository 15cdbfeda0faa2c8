import { type Element, xml } from './element.ts';
import { NS } from './namespaces.ts';
import { readableText } from './xml-text.ts';

/** What is on a card. */
export interface ShownCard {
  readonly name: string;
  readonly groups: readonly string[];
  readonly photo?: { readonly type: string; readonly bytes: Buffer; readonly sha1: string } | undefined;
}

/** XEP-0054. */
export function vcardElement({ name, photo }: ShownCard): Element {
  const text = readableText(name);
  const card = xml('vCard', { xmlns: NS.vcard }, xml('FN', {}, text), xml('NICKNAME', {}, text));
  if (photo)
    card.append(xml('PHOTO', {}, xml('TYPE', {}, photo.type), xml('BINVAL', {}, photo.bytes.toString('base64'))));
  return card;
}

/** XEP-0153: the picture on the card, by its hash; an empty one for none. */
export const photoHint = ({ photo }: ShownCard): Element =>
  xml('x', { xmlns: NS.vcardUpdate }, xml('photo', {}, ...(photo ? [photo.sha1] : [])));

/** XEP-0172. */
export const nickElement = ({ name }: ShownCard): Element => xml('nick', { xmlns: NS.nick }, readableText(name));

/** XEP-0144: proposes a name and groups for the person's list. */
export function rosterProposal(jid: string, { name, groups }: ShownCard): Element {
  const item = xml('item', { action: 'add', jid, name: readableText(name) });
  for (const group of groups) item.append(xml('group', {}, readableText(group)));
  return xml('x', { xmlns: NS.rosterExchange }, item);
}

/** XEP-0084, as if there was a node for it: the picture, or facts about it. Undefined for any other node, and without a picture. */
export function avatarItems(node: string, { photo }: ShownCard): Element | undefined {
  const { sha1: id = '', type = '', bytes = Buffer.of() } = photo ?? {};
  const contents: Readonly<Record<string, Element>> = {
    [NS.avatarMetadata]: xml(
      'metadata',
      { xmlns: NS.avatarMetadata },
      ...(photo ? [xml('info', { id, type, bytes: String(bytes.byteLength) })] : []),
    ),
    [NS.avatarData]: xml('data', { xmlns: NS.avatarData }, bytes.toString('base64')),
  };
  const content = contents[node];
  if (!photo || !content) return undefined;
  return xml('pubsub', { xmlns: NS.pubsub }, xml('items', { node }, xml('item', { id }, content)));
}
