import { ConfigInvalid, errorMessage } from '@magpie/contract';
import type { Destruction } from '../codec/stanza/muc.ts';

/** That we are in a room: under which nick, with the wanted one where it is another, and where, if the room has moved. */
export const joinedText = (nick: string, wanted: string, at: string | undefined): string =>
  `joined as ${nick}${nick === wanted ? '' : ` ("${wanted}" is not free)`}${at === undefined ? '' : `, at ${at}`}`;

/** That a room was closed for good. */
export const closedText = ({ to, reason }: Destruction): string =>
  `the room was closed by its owner${reason === undefined ? '' : `: ${reason}`}${to === undefined ? '' : `; it names ${to} instead, see followMoved`}`;

/** That a room is followed to another address. */
export const movedText = (to: string): string => `the room has moved to ${to}`;

/** Why a room is not joined. */
export const stateOf = (error: unknown): string =>
  error instanceof ConfigInvalid ? `not permitted: ${error.message}` : errorMessage(error);
