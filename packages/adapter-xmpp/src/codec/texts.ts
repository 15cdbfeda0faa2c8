import { parseJsonBody } from '@magpie/contract';
import { attribute, type Element } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** A text of a message, in one of its languages. */
export interface MessageText {
  readonly lang?: string;
  readonly text: string;
}

/** Texts beside the one that is taken: how many, and characters of all of them. */
const MOST_OTHERS = 16;
const LONGEST_OTHERS = 64 * 1024;
/** Characters of a language tag (RFC 5646 §4.4.1). */
const LONGEST_TAG = 35;

/**
 * The texts of a message by this name, the one that counts first (RFC 6121 §5.2.3): that without a language of its own, else that in
 * the language of the stanza, else the first. Children of other namespaces are none, such as the body of a web page. Total.
 */
export function textsOf(message: Element, name: 'body' | 'subject'): readonly MessageText[] {
  const all = message.getChildren(name).filter((child) => child.getNS() === message.getNS());
  const ofStanza = languageOf(message);
  const main =
    all.find((child) => attribute(child, 'xml:lang') === undefined) ??
    all.find((child) => languageOf(child)?.toLowerCase() === ofStanza?.toLowerCase()) ??
    all[0];
  if (!main) return [];
  return [main, ...all.filter((child) => child !== main)].map((child) => {
    const lang = languageOf(child) ?? ofStanza;
    return { ...(lang === undefined ? {} : { lang }), text: child.getText() };
  });
}

function languageOf(element: Element): string | undefined {
  const tag = attribute(element, 'xml:lang');
  return tag === undefined || tag === '' || tag.length > LONGEST_TAG ? undefined : tag;
}

/** The text of a message that counts; undefined when it has none. */
export const mainText = (message: Element, name: 'body' | 'subject'): string | undefined =>
  textsOf(message, name)[0]?.text;

/** XEP-0335: the JSON of a message. What is none is no content where there is a text for people as well. Total. */
export function jsonOf(message: Element): string | undefined {
  const json = message.getChild('json', NS.json)?.getText();
  const isJson = json !== undefined && parseJsonBody(Buffer.from(json), 'application/json') !== undefined;
  return isJson || mainText(message, 'body') === undefined ? json : undefined;
}

/** What a message says in words besides its content, shown in `origin`. */
export interface OtherTexts {
  /** Language of the text that is the content. */
  readonly lang?: string;
  /** The same in other languages, and what people read in the place of JSON. */
  readonly texts?: readonly MessageText[];
}

/** The other texts of a message, as far as they are not too many. Total. */
export function otherTextsOf(message: Element): OtherTexts {
  const [main, ...others] = textsOf(message, 'body');
  if (!main) return {};
  const isJson = jsonOf(message) !== undefined;
  const texts: MessageText[] = [];
  let left = LONGEST_OTHERS;
  for (const each of isJson ? [main, ...others] : others) {
    left -= each.text.length;
    if (left < 0 || texts.length === MOST_OTHERS) break;
    texts.push(each);
  }
  return {
    ...(isJson || main.lang === undefined ? {} : { lang: main.lang }),
    ...(texts.length === 0 ? {} : { texts }),
  };
}
