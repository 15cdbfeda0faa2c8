import { attribute, childText, type Element, xml } from '../codec/stanza/element.ts';
import { NS } from '../codec/stanza/namespaces.ts';

/** Which part of an archive is asked for: behind an id, since a time (ms since the epoch), or the newest. */
export interface PageRequest {
  readonly after?: string | undefined;
  readonly start?: number | undefined;
  readonly newest?: boolean;
  /** A server may send fewer. */
  readonly max: number;
}

/** A message as an archive has it. */
export interface Archived {
  readonly id: string;
  /** When the archive got it, as it says (XEP-0082). */
  readonly stamp: string;
  readonly message: Element;
}

/** The end of a page (XEP-0313 §4.3, XEP-0059). */
export interface PageEnd {
  /** Nothing is behind this page. A server that leaves it out says no. */
  readonly complete: boolean;
  /** Id of the last message, where there is one. */
  readonly last: string | undefined;
}

/** Asks an archive for a page (XEP-0313 §4.1). */
export function archiveQuery(queryId: string, { after, start, newest, max }: PageRequest): Element {
  const set = xml('set', { xmlns: NS.resultSets }, xml('max', {}, String(max)));
  if (after !== undefined) set.append(xml('after', {}, after));
  if (newest) set.append(xml('before', {}));
  const query = xml('query', { xmlns: NS.archive, queryid: queryId });
  if (start !== undefined) query.append(since(start));
  query.append(set);
  return query;
}

const since = (start: number): Element =>
  xml(
    'x',
    { xmlns: NS.dataForms, type: 'submit' },
    xml('field', { var: 'FORM_TYPE', type: 'hidden' }, xml('value', {}, NS.archive)),
    xml('field', { var: 'start' }, xml('value', {}, new Date(start).toISOString())),
  );

/** The result that a message carries, whoever it is from. */
export const resultIn = (message: Element): Element | undefined => message.getChild('result', NS.archive);

/** The archived message in a result; undefined when there is none in it, or no id or time. */
export function archivedIn(result: Element): Archived | undefined {
  const forwarded = result.getChild('forwarded', NS.forward);
  const message = forwarded?.getChild('message');
  const delay = forwarded?.getChild('delay', NS.delay);
  const [id, stamp] = [attribute(result, 'id'), delay && attribute(delay, 'stamp')];
  if (!message || !id || stamp === undefined || !Number.isFinite(Date.parse(stamp))) return undefined;
  return { id, stamp, message };
}

/** What an answer says about the end of its page. */
export function pageEnd(answer: Element): PageEnd {
  const fin = answer.getChild('fin', NS.archive);
  const set = fin?.getChild('set', NS.resultSets);
  const last = set && childText(set, 'last');
  return { complete: fin !== undefined && attribute(fin, 'complete') === 'true', last: last || undefined };
}
