import { timeOfRef } from '@magpie/contract';

/** Facts derived from properties, so that most messages need no header table, whose entries cost the broker time. */

/** The `app-id` of what a gateway publishes. */
export const appIdOf = (gatewayId: string): string => `${APP}${gatewayId}`;

/** The gateway that published a message; undefined for any other `app-id`. */
export function gatewayOf(appId: unknown): string | undefined {
  return typeof appId === 'string' && appId.length > APP.length && appId.startsWith(APP)
    ? appId.slice(APP.length)
    : undefined;
}

const APP = 'magpie/';

/** The time in ms of a `timestamp`; a UUIDv7 `message-id` of the same second makes it exact. */
export function impliedTime(seconds: number, messageId: string | undefined): number {
  const made = messageId === undefined ? undefined : timeOfRef(messageId);
  return made !== undefined && Math.floor(made / 1000) === seconds ? made : seconds * 1000;
}
