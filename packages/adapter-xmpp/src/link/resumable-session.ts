import { InboundCounter, OutboundQueue } from './stanza-counters.ts';

/** What survives a lost link, so that the next login can resume the session (XEP-0198 §5). One per connection. */
export class ResumableSession {
  /** The server's id of the session; undefined when there is nothing to resume. */
  id: string | undefined;
  /** Our full JID. */
  jid = '';
  inbound = new InboundCounter();
  readonly outbound = new OutboundQueue();
  /** How many stanzas are still to come that may be second deliveries, because an old link had brought them unfinished. */
  repeats = 0;

  /** A new session: what was not acknowledged on the old one is lost to us, its senders were told so. */
  restart(jid: string): void {
    this.id = undefined;
    this.jid = jid;
    this.inbound = new InboundCounter();
    this.outbound.restart();
    this.repeats = 0;
  }

  /**
   * Only what comes after `<enabled/>` counts (XEP-0198 §4): it is set to zero, whatever was read before.
   * @param id undefined when the server will not resume the session.
   */
  enable(id: string | undefined): void {
    this.id = id;
    this.inbound = new InboundCounter();
  }

  /**
   * The link is gone, and what it had not finished comes again: its counter is closed, so that a late verdict is not counted
   * on top of the repetition. The result is what the server may be told to have been handled.
   */
  close(): number {
    const { handled, outstanding } = this.inbound;
    this.repeats += outstanding;
    this.inbound = new InboundCounter(handled);
    return handled;
  }

  /** There is nothing to resume any more. */
  forget(): void {
    this.id = undefined;
  }
}
