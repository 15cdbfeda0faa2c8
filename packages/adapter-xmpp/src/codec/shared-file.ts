import { attribute, childText, type Element, xml } from './stanza/element.ts';
import { NS } from './stanza/namespaces.ts';

/** A file that a message links to. */
export interface SharedFile {
  readonly url: string;
  readonly mediaType?: string;
  /** Bytes. */
  readonly size?: number;
  readonly name?: string;
}

/**
 * What makes a message with the URL as its body one with a file: the URL for all clients (XEP-0066), and what the file is for those
 * that can tell (XEP-0447, XEP-0446).
 */
export function fileElements({ url, mediaType, size, name }: SharedFile): Element[] {
  const facts = { 'media-type': mediaType, name, size: size?.toString() };
  const file = xml('file', { xmlns: NS.fileMetadata });
  for (const [fact, text] of Object.entries(facts)) if (text !== undefined) file.append(xml(fact, {}, text));
  const source = xml('url-data', { xmlns: NS.urlData, target: url });
  return [
    xml('x', { xmlns: NS.outOfBand }, xml('url', {}, url)),
    xml('file-sharing', { xmlns: NS.fileSharing, disposition: 'inline' }, file, xml('sources', {}, source)),
  ];
}

/** Longest URL, and longest of the other texts, that are taken from a stranger's message. */
const LONGEST = { url: 2_048, text: 255 };

/** The file that a message links to; undefined without one, or when its URL is none of the web. Total. */
export function fileOf(message: Element): SharedFile | undefined {
  const sharing = message.getChild('file-sharing', NS.fileSharing);
  const shared = sharing?.getChild('sources')?.getChild('url-data', NS.urlData);
  const url = webUrl(
    (shared && attribute(shared, 'target')) ?? message.getChild('x', NS.outOfBand)?.getChild('url')?.getText(),
  );
  if (url === undefined) return undefined;
  const file = sharing?.getChild('file', NS.fileMetadata);
  const text = (name: string): string | undefined => {
    const found = file && childText(file, name);
    return found === undefined || found === '' || found.length > LONGEST.text ? undefined : found;
  };
  const [mediaType, name, size] = [text('media-type'), text('name'), text('size')];
  return {
    url,
    ...(mediaType === undefined ? {} : { mediaType }),
    ...(size === undefined || !/^\d{1,15}$/.test(size) ? {} : { size: Number(size) }),
    ...(name === undefined ? {} : { name }),
  };
}

/** A URL of http or https as it is written, else undefined. */
export function webUrl(text: string | undefined): string | undefined {
  if (text === undefined || text.length > LONGEST.url || !URL.canParse(text)) return undefined;
  return /^https?:$/.test(new URL(text).protocol) ? text : undefined;
}
