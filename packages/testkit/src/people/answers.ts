/** A data form (XEP-0004) as it arrived. */
export interface Form {
  readonly type: string | null;
  readonly title: string | null;
  readonly instructions: string | null;
  readonly fields: readonly FormField[];
}

/** A field of a form. */
export interface FormField {
  readonly var: string | null;
  readonly type: string | null;
  readonly label: string | null;
  readonly required: boolean;
  readonly values: readonly string[];
  readonly options: ReadonlyArray<{ readonly label: string | null; readonly value: string | null }>;
}

/** Values for a form that is sent: lists for fields of several values. */
export type FormValues = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A refusal as a stanza carries it. */
export interface StanzaRefusal {
  readonly type: string | null;
  readonly condition: string | null;
  readonly text: string | null;
}

/** A message that a person got: chat, room, receipt, error and all else. What it does not carry is null. */
export interface ReceivedMessage {
  readonly from: string | null;
  readonly to: string | null;
  readonly type: string;
  readonly id: string | null;
  readonly body: string | null;
  readonly subject: string | null;
  readonly thread: string | null;
  /** When it was sent, for one that waited (XEP-0203). */
  readonly delay: string | null;
  readonly originId: string | null;
  readonly stanzaIds: ReadonlyArray<{ readonly by: string; readonly id: string }>;
  /** Id of the message that this one is the receipt of (XEP-0184). */
  readonly receipt: string | null;
  readonly wantsReceipt: boolean;
  /** Of out-of-band data (XEP-0066). */
  readonly url: string | null;
  readonly error: StanzaRefusal | null;
  /** The whole stanza. */
  readonly xml: string;
}

/** A message of an archive. */
export interface ArchivedMessage extends ReceivedMessage {
  readonly archiveId: string;
  readonly stamp: string | null;
}

/** A page of an archive (XEP-0313, XEP-0059). */
export interface ArchivePage {
  readonly complete: boolean;
  readonly first: string | null;
  readonly last: string | null;
  /** Messages of the whole archive that the query permits, where the server says it. */
  readonly count: string | null;
  readonly messages: readonly ArchivedMessage[];
}

/** A presence that a person got. */
export interface ReceivedPresence {
  readonly from: string | null;
  /** `available`, `unavailable`, `subscribe`, `subscribed`, `unsubscribe`, `unsubscribed`, `probe` or `error`. */
  readonly type: string;
  readonly show: string | null;
  readonly status: string | null;
  readonly priority: number;
  readonly delay: string | null;
  /** What a room says about an occupant (XEP-0045); `nick` is a new one. */
  readonly occupant: {
    readonly affiliation: string | null;
    readonly role: string | null;
    readonly jid: string | null;
    readonly nick: string | null;
    readonly codes: readonly number[];
  } | null;
  readonly error: StanzaRefusal | null;
  readonly xml: string;
}

/** A contact. */
export interface Contact {
  readonly jid: string;
  readonly name: string | null;
  readonly subscription: 'none' | 'to' | 'from' | 'both';
  readonly ask: 'subscribe' | null;
  readonly groups: readonly string[];
}

/** Identities and features of an entity (XEP-0030). */
export interface Discovered {
  readonly identities: ReadonlyArray<{
    readonly category: string;
    readonly type: string;
    readonly name: string | null;
  }>;
  readonly features: readonly string[];
  readonly forms: readonly Form[];
  /** The hash of all that (XEP-0115), as the client's library makes it. */
  readonly caps: string;
}

/** A step of an ad-hoc command (XEP-0050). */
export interface CommandStep {
  readonly session: string;
  readonly status: 'executing' | 'completed' | 'canceled';
  readonly actions: readonly string[];
  readonly notes: ReadonlyArray<{ readonly type: string; readonly text: string }>;
  readonly form: Form | null;
}

/** What happens to a person. */
export type PersonEvent =
  | (ReceivedMessage & { readonly event: 'message' })
  | (ReceivedPresence & { readonly event: 'presence' })
  | { readonly event: 'offline'; readonly reason: string };
