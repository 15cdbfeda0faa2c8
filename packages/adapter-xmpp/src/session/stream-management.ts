import { type MagpieError, NotConnected, type Unknown } from '@magpie/contract';
import { NS } from '../codec/namespaces.ts';
import { attribute, type Element, xml } from '../link/library.ts';
import { StreamViolation } from '../link/stream-guard.ts';
import { freshState, type SessionState } from './session-state.ts';
import { createInboundCounter } from './stanza-counters.ts';

/** A new session: what was not acknowledged on the old one is lost to us, its senders were told so. */
export function bound(state: SessionState, jid: string, managed: boolean): void {
  const { kept } = state;
  kept.outbound.restart();
  Object.assign(kept, freshState(), { jid, outbound: kept.outbound });
  state.counting = managed;
  if (managed) {
    state.link?.enter('enable');
    write(state, xml('enable', { xmlns: NS.streamManagement, resume: 'true' }));
  } else ready(state, 'unmanaged');
}

/**
 * What to ask for before a resource is bound, when an earlier session may go on. What it had not finished comes again, so
 * its counter is closed here: a late verdict must not be counted on top of the repetition.
 */
export function resumption({ kept }: SessionState): Element | undefined {
  if (kept.id === undefined) return undefined;
  const h = kept.inbound.handled();
  kept.repeats += kept.inbound.outstanding();
  kept.inbound = createInboundCounter(h);
  return xml('resume', { xmlns: NS.streamManagement, previd: kept.id, h: String(h) });
}

function ready(state: SessionState, phase: 'managed' | 'unmanaged'): void {
  state.link?.enter(phase);
  state.phase = 'ready';
  state.reported = state.kept.inbound.handled();
  state.opened.resolve();
}

/** Elements of XEP-0198. The link has let only those through that answer something of ours, see `phases.ts`. */
export function manage(state: SessionState, element: Element): void {
  const h = Number(attribute(element, 'h') ?? Number.NaN);
  const handlers: Readonly<Record<string, () => void>> = {
    enabled: () => enabled(state, element),
    resumed: () => resumed(state, h),
    failed: () => refused(state, h),
    r: () => report(state),
    a: () => acknowledged(state, h),
  };
  handlers[element.getName()]?.();
}

/** Only what comes after `<enabled/>` counts: it is set to zero here, at once, whatever was read before. */
function enabled(state: SessionState, element: Element): void {
  const { kept } = state;
  const resumable = /^(true|1)$/.test(attribute(element, 'resume') ?? '');
  kept.id = resumable ? attribute(element, 'id') : undefined;
  kept.inbound = createInboundCounter();
  ready(state, 'managed');
}

function resumed(state: SessionState, h: number): void {
  const { kept } = state;
  if (!kept.outbound.resume(h))
    throw new StreamViolation(`the server resumed the session with h=${h}, which cannot be`);
  state.resumed = true;
  state.counting = true;
  ready(state, 'managed');
}

/** Either our `<enable/>` or our `<resume/>` was refused. */
function refused(state: SessionState, h: number): void {
  const { kept } = state;
  if (kept.id === undefined) {
    state.counting = false;
    ready(state, 'unmanaged');
    return;
  }
  kept.outbound.resume(h);
  kept.id = undefined;
  state.link?.bind();
}

function acknowledged(state: SessionState, h: number): void {
  state.asked = false;
  state.answered = true;
  state.askTimer?.();
  if (!state.kept.outbound.acknowledge(h))
    throw new StreamViolation(`the server acknowledged ${h} stanzas, more than were sent`);
  ask(state);
}

/**
 * Whether the server has read nothing of a session that it resumed (Prosody 0.12.3, when it found an old line still full). It
 * would not the next time either: when such a link ends in silence, only a new session helps.
 */
export const unread = ({ resumed, answered }: SessionState): boolean => resumed && !answered;

/** Asks for an acknowledgement when something waits for one; one question at a time, so its rate is that of the round trip. */
export function ask(state: SessionState): void {
  const { kept, options } = state;
  if (state.asked || state.phase !== 'ready' || !state.counting || kept.outbound.length === 0) return;
  state.asked = true;
  write(state, xml('r', { xmlns: NS.streamManagement }));
  const silent = (): void => {
    if (state.paused) {
      state.askTimer = options.clock.timeout(options.timeout, silent);
      return;
    }
    if (unread(state)) kept.id = undefined;
    state.link?.fail(new NotConnected(`the server has not acknowledged anything for ${options.timeout} ms`));
  };
  state.askTimer = options.clock.timeout(options.timeout, silent);
}

/** Tells the server how many of its stanzas are finished: never how many have merely arrived. */
export function report(state: SessionState): void {
  state.reportTimer?.();
  state.reportTimer = undefined;
  state.reported = state.kept.inbound.handled();
  write(state, xml('a', { xmlns: NS.streamManagement, h: String(state.reported) }));
}

/** Writes without waiting; a failed write means a failed link, which reports itself. */
export function write(state: SessionState, element: Element): void {
  state.link?.write(element).catch((error: unknown) => {
    state.link?.fail(new NotConnected('cannot write to the link', { cause: error }));
  });
}

/** The link is gone: everything that waits is told so. */
export function over(state: SessionState, error: MagpieError): void {
  state.phase = 'over';
  state.ended = error;
  state.askTimer?.();
  state.reportTimer?.();
  if (error instanceof StreamViolation) state.kept.id = undefined;
  state.kept.outbound.lose(`the link was lost before the server acknowledged the message: ${error.message}`);
  for (const { reject } of state.requests.values()) reject(new NotConnected(error.message));
  state.requests.clear();
}

/** Counts and writes a stanza; `settle` hears when the server has taken it. */
export function transmit(state: SessionState, stanza: Element, settle?: (error?: Unknown) => void): void {
  if (state.counting) state.kept.outbound.push(attribute(stanza, 'id'), settle);
  write(state, stanza);
  ask(state);
}
