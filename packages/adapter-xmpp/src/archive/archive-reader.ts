import { randomUUID } from 'node:crypto';
import { normalJid } from '../codec/jid.ts';
import { attribute, type Element } from '../codec/stanza/element.ts';
import { conditionOf } from '../errors.ts';
import type { Link } from '../link/link.ts';
import { type Archived, archivedIn, archiveQuery, type PageEnd, type PageRequest, pageEnd, resultIn } from './query.ts';

/** A page of an archive, oldest first. */
export interface Page extends PageEnd {
  readonly messages: readonly Archived[];
}

/** An archive that does not answer the question, with the condition of its error. */
export interface Refusal {
  readonly refused: string;
}

/** Most results taken for one question, whatever a server sends. */
const MOST_RESULTS = 500;

interface Asked {
  readonly archive: string;
  readonly messages: Archived[];
}

/**
 * Asks archives for pages. A result counts only from the archive that was asked, with the id of a question that is not answered
 * yet: anyone can send us one. One per connection.
 */
export class ArchiveReader {
  readonly #account: string;
  readonly #asked = new Map<string, Asked>();

  /** @param account our bare JID: its archive may answer without a sender. */
  constructor(account: string) {
    this.#account = account;
  }

  /**
   * One page of the archive of our account or of a room. Rejects with `NotConnected` without an answer.
   * @param archive bare JID.
   */
  async page(link: Link, archive: string, request: PageRequest): Promise<Page | Refusal> {
    const queryId = randomUUID();
    const messages: Archived[] = [];
    this.#asked.set(queryId, { archive, messages });
    try {
      const to = archive === this.#account ? undefined : archive;
      const answer = await link.request('set', archiveQuery(queryId, request), to);
      if (attribute(answer, 'type') === 'result') return { messages, ...pageEnd(answer) };
      const error = answer.getChild('error');
      return { refused: error ? conditionOf(error) : 'undefined-condition' };
    } finally {
      this.#asked.delete(queryId);
    }
  }

  /** Takes a message with a result in it. False when nobody asked for it. */
  take(message: Element): boolean {
    const result = resultIn(message);
    const asked = result && this.#asked.get(attribute(result, 'queryid') ?? '');
    if (!asked || !this.#isFrom(asked.archive, attribute(message, 'from'))) return false;
    const archived = archivedIn(result);
    if (archived && asked.messages.length < MOST_RESULTS) asked.messages.push(archived);
    return true;
  }

  #isFrom(archive: string, from: string | undefined): boolean {
    return from === undefined ? archive === this.#account : normalJid(from) === archive;
  }
}
