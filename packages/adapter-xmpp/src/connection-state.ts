import { randomBytes } from 'node:crypto';
import { type AdapterContext, type MagpieError, NotConnected, Unknown } from '@magpie/contract';
import type { XmppConfig } from './config.ts';
import { createIntake, type Intake } from './receive/intake.ts';
import { createRooms, type Rooms } from './rooms/rooms.ts';
import { createSends, type Sends } from './send/unconfirmed.ts';
import type { Session } from './session/session.ts';
import { freshState, type ResumableState } from './session/session-state.ts';

/** Everything one connection keeps. */
export interface ConnectionState {
  readonly config: XmppConfig;
  readonly context: AdapterContext;
  /** The same for every login, so that a new session replaces what is left of the old one. */
  readonly resource: string;
  readonly kept: ResumableState;
  readonly sends: Sends;
  readonly intake: Intake;
  readonly rooms: Rooms;
  session: Session | undefined;
  /** The supervisor takes us for connected and is to hear of a loss. */
  connected: boolean;
  /** What ended the last link. */
  loss: MagpieError | undefined;
  accountStampsIds: boolean;
  /** Something is received: a session that is not resumed leaves a gap. */
  receiving: boolean;
  /** Messages may be missing, and no event says so yet. */
  gap: boolean;
  lastPing: number;
  /** Ends the attempt to connect in progress. */
  attempt: AbortController;
}

/** The state of a new connection, before its first link. */
export function createState(config: XmppConfig, context: AdapterContext): ConnectionState {
  const sends = createSends(context.clock);
  const unavailable = (reason: string): void =>
    state.session?.drop(new NotConnected(`the gateway cannot store messages now (${reason}): the server keeps them`));
  const state: ConnectionState = {
    config,
    context,
    // Random per process: a restarted gateway must not fight its own ghost for a resource.
    resource: config.resource ?? `${context.gatewayId}-${randomBytes(4).toString('hex')}`,
    kept: freshState(),
    sends,
    intake: createIntake(context, { window: config.receiveWindow, unavailable }),
    rooms: createRooms({
      config,
      context,
      session: () => state.session,
      left: (room, reason) => sends.settleAll(() => new Unknown(`${reason} before it echoed the message`), room),
    }),
    session: undefined,
    connected: false,
    loss: undefined,
    accountStampsIds: false,
    receiving: false,
    gap: false,
    lastPing: 0,
    attempt: new AbortController(),
  };
  return state;
}

/** The link is gone: what waits for a confirmation will not get it. */
export function forgetSession(state: ConnectionState, reason: string): void {
  state.session = undefined;
  state.connected = false;
  state.intake.hold();
  state.context.detail('session', undefined);
  state.sends.settleAll(() => new Unknown(`the link was lost before the confirmation: ${reason}`));
}

/** The session, or `NotConnected` at once: nothing is ever queued. */
export function liveSession({ session }: ConnectionState): Session {
  if (!session) throw new NotConnected('the link is down');
  return session;
}
