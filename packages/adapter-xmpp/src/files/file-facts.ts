import { basename } from 'node:path';
import type { OutgoingEvent } from '@magpie/contract';
import { isReadable } from '../codec/encode.ts';
import { readableText } from '../codec/stanza/xml-text.ts';

/** When a body goes as a file: where that is better for people, always, or never. */
export type UploadRule = 'auto' | 'always' | 'never';

/** Bytes beside a text, up to this size, stay within the message. */
const SMALL = 8 * 1024;

const SHOWN = /^(image|audio|video)\//i;

/** Whether a body is to go as a file whatever the size of its stanza. */
export function goesAsFile(event: OutgoingEvent, rule: UploadRule): boolean {
  const { body, contentType = '' } = event;
  if (body.byteLength === 0 || rule === 'never') return false;
  if (rule === 'always' || SHOWN.test(contentType)) return true;
  return body.byteLength > SMALL && !isReadable(event);
}

/** What a file is called by its sender. */
const NAME_HEADERS = new Set(['filename', 'file-name']);

/** Extensions that clients know a picture, a sound or a document by; others are the subtype, if it looks like one. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/svg+xml': 'svg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'video/quicktime': 'mov',
  'text/plain': 'txt',
  'application/octet-stream': 'bin',
};

/** Media type and name of the file that a body becomes. */
export function fileFacts(event: OutgoingEvent): { readonly mediaType: string; readonly name: string } {
  const { contentType, contentEncoding, headers, delivery } = event;
  // A service keeps no encoding beside the type: what is compressed is just bytes to whoever fetches it.
  const known = contentEncoding === undefined ? contentType : undefined;
  const plain = isReadable(event) ? 'text/plain' : 'application/octet-stream';
  const mediaType = bareType(known) ?? plain;
  const given = headers.find(([name, value]) => NAME_HEADERS.has(name.toLowerCase()) && typeof value === 'string');
  const name = safeName(given === undefined ? '' : String(given[1]));
  return { mediaType, name: name === '' ? `file-${delivery.slice(0, 8)}.${extensionOf(mediaType)}` : name };
}

/** Type and subtype without parameters. */
function bareType(contentType: string | undefined): string | undefined {
  const found = /^\s*([\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100})\s*(;|$)/.exec(contentType ?? '')?.[1];
  return found?.toLowerCase();
}

function extensionOf(mediaType: string): string {
  const subtype = /\/(?:x-)?([a-z0-9]{2,5})$/.exec(mediaType)?.[1];
  return EXTENSIONS[mediaType] ?? subtype ?? 'bin';
}

/** The last part of a path, without what a file system or a URL could trip over. */
const safeName = (name: string): string =>
  basename(readableText(name).replaceAll('\\', '/'))
    .replace(/[\p{Cc}\p{Cf}<>:"|?*/#%]/gu, '_')
    .replace(/^\.+/, '')
    .slice(0, 100)
    .toWellFormed();
