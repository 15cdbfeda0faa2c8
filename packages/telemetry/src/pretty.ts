import { visible } from '@magpie/schema-messages';

/**
 * A JSON log line as a line for people: `12:00:00.123 WARN  message  connection=floor`. Control characters in foreign
 * text are escaped. Any other line is returned unchanged.
 */
export function prettyLine(line: string): string {
  const fields = parseLine(line);
  if (!fields) return line;
  const { time, level, msg, ...rest } = fields;
  const clock = String(time).slice(11, 23);
  const details = Object.entries(rest).map(([name, value]) => `${name}=${shown(value)}`);
  return `${[clock, String(level).toUpperCase().padEnd(5), visible(String(msg)), ...details].join(' ')}\n`;
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // Not one of our lines: shown unchanged.
  }
}

const shown = (value: unknown): string =>
  visible(typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value));
