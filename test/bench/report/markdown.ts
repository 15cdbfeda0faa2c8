import type { PathResult } from './results.ts';

/** A table whose first line is its heading. */
export function markdownTable([headings = [], ...lines]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const safe = (cell: string): string => cell.replaceAll('|', '\\|').replaceAll('\n', ' ');
  return [headings, headings.map(() => '---'), ...lines.map((cells) => cells.map(safe))].map(line).join('\n');
}

/** When, where and with what something was measured. */
export function circumstances({
  date,
  machine,
  versions,
}: Pick<PathResult, 'date' | 'machine' | 'versions'>): readonly string[] {
  return [
    date.slice(0, 10),
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  ];
}
