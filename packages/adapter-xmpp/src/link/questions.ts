import { attribute, type Element } from '../codec/stanza/element.ts';
import { errorAnswer } from '../codec/stanza/iq.ts';

/** Questions that wait; more are refused. */
const MOST = 500;

/** What questions need of their link. */
export interface QuestionsOptions {
  /** Whether the server has not read our last answers yet. */
  isBehind(): boolean;
  /** The answer to a question, unless it comes later or never. */
  answer(iq: Element, repeated: boolean): Element | undefined;
  /** Sends the answer to a question. */
  send(answer: Element, iq: Element): void;
}

/**
 * What others ask us. A client asks for the pictures of all its contacts at once, and their answers are a hundred times as large as
 * the questions: those wait until the server has read the answers before. One per link.
 */
export class Questions {
  readonly #options: QuestionsOptions;
  readonly #waiting: Element[] = [];

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Answers an iq of type get or set, at once or when the server reads. @param repeated as of a stanza. */
  take(iq: Element, repeated: boolean): void {
    const { isBehind, send } = this.#options;
    // One of type set may do something, in its order.
    if (attribute(iq, 'type') !== 'get' || !isBehind()) this.#answer(iq, repeated);
    else if (this.#waiting.length < MOST) this.#waiting.push(iq);
    else send(errorAnswer(iq, 'wait', 'resource-constraint'), iq);
  }

  /** The server reads our answers again. */
  goOn(): void {
    while (!this.#options.isBehind()) {
      const iq = this.#waiting.shift();
      if (!iq) return;
      this.#answer(iq, false);
    }
  }

  /** The link has ended. */
  clear(): void {
    this.#waiting.length = 0;
  }

  #answer(iq: Element, repeated: boolean): void {
    const answer = this.#options.answer(iq, repeated);
    if (answer) this.#options.send(answer, iq);
  }
}
