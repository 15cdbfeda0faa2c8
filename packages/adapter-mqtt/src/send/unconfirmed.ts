import { Aborted, type MagpieError, type SendReceipt, Unknown } from '@magpie/contract';
import { condemnsMessage, reasonError } from '../errors.ts';
import type { Answer, Exchange } from '../link/exchanges.ts';
import type { LinkEnd } from '../link/life.ts';
import type { OutboundPacket } from '../wire/outgoing.ts';

/** Callbacks for the accounting of one link's messages. */
export interface Account {
  /** Host and port, for messages. */
  readonly where: string;
  /** Called once per message when its caller has the result. */
  settled(sending: Sending): void;
  /** Called when the broker has answered a written QoS 1 or 2 message. */
  answered(): void;
}

/** The event that confirms a message. */
type Confirmation = 'written' | 'puback' | 'pubcomp';

const RECEIPTS: Readonly<Record<Confirmation, SendReceipt>> = {
  written: { confirmedBy: 'written' },
  puback: { confirmedBy: 'puback' },
  pubcomp: { confirmedBy: 'pubcomp' },
};
const EXPECTS = ['puback', 'puback', 'pubrec'] as const;

/** One message from `send` to its confirmation. */
export class Sending implements Exchange {
  readonly qos: 0 | 1 | 2;
  readonly receipt: Promise<SendReceipt>;
  expects: Answer['type'];
  /** Signal that ends the waiting. */
  readonly signal: AbortSignal;
  readonly #topic: string;
  readonly #account: Account;
  #packet: OutboundPacket | undefined;
  #resolve!: (receipt: SendReceipt) => void;
  #reject!: (error: MagpieError) => void;
  #settled = false;

  constructor(packet: OutboundPacket, signal: AbortSignal, account: Account) {
    this.qos = packet.qos;
    this.expects = EXPECTS[packet.qos];
    this.signal = signal;
    this.#topic = packet.topic;
    this.#account = account;
    this.#packet = packet;
    this.receipt = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The packet to write, returned once; undefined when its caller no longer waits. */
  start(): OutboundPacket | undefined {
    const packet = this.#settled ? undefined : this.#packet;
    this.#packet = undefined;
    return packet;
  }

  /** It counts as sent. */
  succeed(by: Confirmation): void {
    if (this.#settled) return;
    this.#settle();
    this.#resolve(RECEIPTS[by]);
  }

  fail(error: MagpieError): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
  }

  /** Called when the signal has fired. A written packet may still be answered. */
  abort(): void {
    this.fail(new Aborted('sending was cancelled; the message may have arrived', { cause: this.signal.reason }));
  }

  answered(packet: Answer): void {
    const reasonCode = 'reasonCode' in packet ? packet.reasonCode : 0;
    if (reasonCode >= 0x80) {
      const what = `the broker refused the message to "${this.#topic}"`;
      this.fail(reasonError('publish', reasonCode, what, packet.reasonString));
    } else if (packet.type === 'pubrec') {
      this.expects = 'pubcomp';
      return;
    } else this.succeed(packet.type === 'puback' ? 'puback' : 'pubcomp');
    this.#account.answered();
  }

  lost({ error, reasonCode }: LinkEnd, alone: boolean): void {
    if (reasonCode !== undefined && alone && condemnsMessage(reasonCode)) {
      const what = `the broker at ${this.#account.where} ended the link over this message`;
      this.fail(reasonError('publish', reasonCode, what));
      return;
    }
    const unknown = new Unknown(`the link was lost before the broker confirmed: ${error.message}`, { cause: error });
    const isNamed = reasonCode !== undefined && condemnsMessage(reasonCode);
    this.fail(isNamed ? unknown.asPeersVerdict() : unknown);
  }

  #settle(): void {
    this.#settled = true;
    this.#account.settled(this);
  }
}
