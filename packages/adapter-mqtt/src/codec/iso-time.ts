/** Cache of the last second: consecutive messages mostly share it. */
let lastSecond = Number.NaN;
let prefix = '';

/** `toISOString` of a time in ms since the epoch; undefined for an invalid time. Called per message. */
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

/** The last second that was read. */
let readPrefix = '';
let readSecond = 0;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.$/;

/** Like `Date.parse`, NaN for an invalid time. Called per message. */
export function parseTime(text: string): number {
  if (text.length !== 24 || text.charCodeAt(23) !== 0x5a) return Date.parse(text);
  const fraction = 100 * digit(text, 20) + 10 * digit(text, 21) + digit(text, 22);
  if (readPrefix !== '' && text.startsWith(readPrefix)) return readSecond + fraction;
  const time = Date.parse(text);
  const prefix = text.slice(0, 20);
  if (Number.isNaN(time) || !TIME.test(prefix)) return time;
  readPrefix = prefix;
  readSecond = time - fraction;
  return time;
}

const digit = (text: string, at: number): number => {
  const value = text.charCodeAt(at) - 0x30;
  return value >= 0 && value <= 9 ? value : Number.NaN;
};
