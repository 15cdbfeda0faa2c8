/** The last second that was written out: messages mostly come from the same ones. */
let lastSecond = Number.NaN;
let prefix = '';

/** `toISOString` of a time in ms since the epoch; undefined for what is no time. Called per message. */
export function isoTime(ms: number): string | undefined {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    const date = new Date(second * 1000);
    if (Number.isNaN(date.getTime())) return undefined;
    prefix = date.toISOString().slice(0, -4);
    lastSecond = second;
  }
  const fraction = Math.floor(ms - second * 1000);
  return `${prefix}${fraction < 10 ? '00' : fraction < 100 ? '0' : ''}${fraction}Z`;
}
