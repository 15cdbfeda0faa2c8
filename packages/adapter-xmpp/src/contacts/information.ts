import { type Capabilities, capsNode } from '../codec/stanza/caps.ts';
import { avatarItems, type ShownCard, vcardElement } from '../codec/stanza/card.ts';
import { attribute, childElements, type Element, xml } from '../codec/stanza/element.ts';
import { errorAnswer, resultAnswer } from '../codec/stanza/iq.ts';
import { NS } from '../codec/stanza/namespaces.ts';

/** What there is to say about one of our addresses. */
export interface Entity {
  readonly capabilities: Capabilities;
  /** Undefined for an address that has none, or whose card the server keeps. */
  readonly card: ShownCard | undefined;
  /** Those that whoever asks may run. */
  readonly commands: readonly { readonly node: string; readonly title: string }[];
}

/**
 * The answer of one of our addresses to a question about it: what it is and which commands it has (XEP-0030), its card (XEP-0054)
 * and its picture (XEP-0084). Undefined for any other question.
 */
export function informationAbout(iq: Element, entity: Entity): Element | undefined {
  const [child] = childElements(iq);
  if (attribute(iq, 'type') !== 'get' || !child) return undefined;
  const answer = QUESTIONS.find(([name, namespace]) => child.is(name, namespace))?.[2];
  return answer && (answer(entity, child, iq) ?? errorAnswer(iq, 'cancel', 'item-not-found'));
}

type Answer = (entity: Entity, child: Element, iq: Element) => Element | undefined;

const QUESTIONS: ReadonlyArray<readonly [name: string, namespace: string, answer: Answer]> = [
  ['query', NS.discoInfo, (entity, child, iq) => described(entity, attribute(child, 'node'), iq)],
  ['query', NS.discoItems, (entity, child, iq) => listed(entity, attribute(child, 'node'), iq)],
  ['vCard', NS.vcard, ({ card }, _, iq) => card && resultAnswer(iq, vcardElement(card))],
  [
    'pubsub',
    NS.pubsub,
    ({ card }, child, iq) => {
      const node = child.getChild('items')?.attrs.node;
      const items = card && typeof node === 'string' ? avatarItems(node, card) : undefined;
      return items && resultAnswer(iq, items);
    },
  ],
];

function described(entity: Entity, node: string | undefined, iq: Element): Element | undefined {
  const { capabilities } = entity;
  const isWhole = node === undefined || node === capsNode(capabilities);
  const about = isWhole ? capabilities : partOf(entity, node);
  if (!about) return undefined;
  const { features, category, type, name } = about;
  const query = xml('query', { xmlns: NS.discoInfo, ...(node === undefined ? {} : { node }) });
  query.append(
    xml('identity', { category, type, name }),
    ...features.map((feature) => xml('feature', { var: feature })),
  );
  return resultAnswer(iq, query);
}

/** The list of commands, and each of them (XEP-0050 §3.1). */
function partOf({ commands }: Entity, node: string): Capabilities | undefined {
  if (node === NS.commands)
    return { category: 'automation', type: 'command-list', name: 'Commands', features: [NS.commands] };
  const command = commands.find((each) => each.node === node);
  const features = [NS.commands, NS.dataForms];
  return command && { category: 'automation', type: 'command-node', name: command.title, features };
}

function listed({ commands }: Entity, node: string | undefined, iq: Element): Element | undefined {
  if (node === undefined) return resultAnswer(iq, xml('query', { xmlns: NS.discoItems }));
  if (node !== NS.commands) return undefined;
  const jid = attribute(iq, 'to') ?? '';
  const items = commands.map((each) => xml('item', { jid, node: each.node, name: each.title }));
  return resultAnswer(iq, xml('query', { xmlns: NS.discoItems, node }, ...items));
}
