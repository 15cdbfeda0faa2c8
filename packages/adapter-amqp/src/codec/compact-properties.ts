import { timeOfRef } from '@magpie/contract';

/**
 * What properties say besides their own meaning, so that most messages need no header table: a broker works on each of its
 * entries.
 */

/** The `app-id` of what a gateway publishes. */
export const appIdOf = (gatewayId: string): string => `${APP}${gatewayId}`;

/** The gateway that has published a message; undefined for any other `app-id`. */
export function gatewayOf(appId: unknown): string | undefined {
  return typeof appId === 'string' && appId.length > APP.length && appId.startsWith(APP)
    ? appId.slice(APP.length)
    : undefined;
}

const APP = 'magpie/';

/** The time in ms that a `timestamp` stands for: a `message-id` made in the same second, a UUIDv7, is more exact. */
export function impliedTime(seconds: number, messageId: string | undefined): number {
  const made = messageId === undefined ? undefined : timeOfRef(messageId);
  return made !== undefined && Math.floor(made / 1000) === seconds ? made : seconds * 1000;
}
