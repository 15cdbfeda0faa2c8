import { attribute, childElements, type Element, xml } from '../codec/stanza/element.ts';
import { errorAnswer, resultAnswer } from '../codec/stanza/iq.ts';
import { NS } from '../codec/stanza/namespaces.ts';

/** What there is to say about one of our addresses. */
export interface Entity {
  readonly identity: { readonly category: string; readonly type: string };
  /** On its card; undefined for an address that has none, or whose card the server keeps. */
  readonly name: string | undefined;
  /** Those that whoever asks may run. */
  readonly commands: readonly { readonly node: string; readonly title: string }[];
}

const FEATURES = [NS.discoInfo, NS.discoItems, NS.commands, NS.ping, NS.vcard, NS.receipts];
const NAME = 'Magpie';

/**
 * The answer of one of our addresses to a question about it: what it is and which commands it has (XEP-0030), and its card
 * (XEP-0054). Undefined for any other question.
 */
export function informationAbout(iq: Element, entity: Entity): Element | undefined {
  const [child] = childElements(iq);
  if (attribute(iq, 'type') !== 'get' || !child) return undefined;
  const node = attribute(child, 'node');
  if (child.is('query', NS.discoInfo)) {
    const described = node === undefined ? own(entity) : partOf(entity, node);
    return described ? resultAnswer(iq, description(described, node)) : errorAnswer(iq, 'cancel', 'item-not-found');
  }
  if (child.is('query', NS.discoItems)) {
    if (node !== undefined && node !== NS.commands) return errorAnswer(iq, 'cancel', 'item-not-found');
    return resultAnswer(iq, node === undefined ? xml('query', { xmlns: NS.discoItems }) : listOf(entity, iq));
  }
  if (child.is('vCard', NS.vcard) && entity.name !== undefined)
    return resultAnswer(iq, xml('vCard', { xmlns: NS.vcard }, xml('FN', {}, entity.name)));
  return undefined;
}

interface Described {
  readonly category: string;
  readonly type: string;
  readonly name: string;
  readonly features: readonly string[];
}

// The same for all contacts, so that a client which has asked one knows all: their names are on their cards.
const own = ({ identity, name }: Entity): Described => ({
  ...identity,
  name: NAME,
  features: FEATURES.filter((feature) => feature !== NS.vcard || name !== undefined),
});

/** The list of commands, and each of them (XEP-0050 §3.1). */
function partOf({ commands }: Entity, node: string): Described | undefined {
  if (node === NS.commands)
    return { category: 'automation', type: 'command-list', name: 'Commands', features: [NS.commands] };
  const command = commands.find((each) => each.node === node);
  const features = [NS.commands, NS.dataForms];
  return command && { category: 'automation', type: 'command-node', name: command.title, features };
}

function description({ features, ...identity }: Described, node: string | undefined): Element {
  const query = xml('query', { xmlns: NS.discoInfo, ...(node === undefined ? {} : { node }) });
  query.append(xml('identity', identity), ...features.map((feature) => xml('feature', { var: feature })));
  return query;
}

function listOf({ commands }: Entity, iq: Element): Element {
  const jid = attribute(iq, 'to') ?? '';
  const items = commands.map(({ node, title }) => xml('item', { jid, node, name: title }));
  return xml('query', { xmlns: NS.discoItems, node: NS.commands }, ...items);
}
