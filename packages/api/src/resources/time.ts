/** A time in ms since the epoch as every answer shows it (RFC 3339, UTC). */
export const iso = (ms: number): string => new Date(ms).toISOString();
