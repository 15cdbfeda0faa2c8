import { InboundCounter, OutboundQueue } from './stanza-counters.ts';

/** State that survives a lost link, so that the next login can resume the session (XEP-0198 §5). One per connection. */
export class ResumableSession {
  /** The server's id of the session; undefined when there is nothing to resume. */
  id: string | undefined;
  /** Our full JID. */
  jid = '';
  inbound = new InboundCounter();
  readonly outbound = new OutboundQueue();
  /** Number of expected stanzas that may be redeliveries, because an old link delivered them unfinished. */
  repeats = 0;

  /** Starts a new session: unacknowledged stanzas of the old one are dropped; their senders already got `Unknown`. */
  restart(jid: string): void {
    this.id = undefined;
    this.jid = jid;
    this.inbound = new InboundCounter();
    this.outbound.restart();
    this.repeats = 0;
  }

  /**
   * Counting starts after `<enabled/>` (XEP-0198 §4): the counter is set to zero.
   * @param id undefined when the server will not resume the session.
   */
  enable(id: string | undefined): void {
    this.id = id;
    this.inbound = new InboundCounter();
  }

  /**
   * Called when the link is gone. Unfinished stanzas will be delivered again, so the counter is closed to late
   * verdicts. Returns the count that may be reported to the server as handled.
   */
  close(): number {
    const { handled, outstanding } = this.inbound;
    this.repeats += outstanding;
    this.inbound = new InboundCounter(handled);
    return handled;
  }

  /** Drops the session: there is nothing to resume. */
  forget(): void {
    this.id = undefined;
  }
}
