/** Colours that read on light and dark pages. */
export const STYLE = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.soft{fill:#57606a}
.own{fill:#3b82c4}.other{fill:#a3adb8}.whisker{stroke:#24292f;stroke-width:1.5}.line{fill:none;stroke:#3b82c4;stroke-width:2}.axis{stroke:#a3adb8}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#9198a1}.whisker{stroke:#e6edf3}.other{fill:#6b7580}.axis{stroke:#6b7580}}`;

/** A coordinate with one digit. */
export const round = (value: number): number => Math.round(value * 10) / 10;

/** A line of text. */
export const text = (x: number, y: number, content: string, className?: string, anchor?: 'middle' | 'end'): string => {
  const attributes = [className && ` class="${className}"`, anchor && ` text-anchor="${anchor}"`];
  return `<text x="${x}" y="${y}"${attributes.filter(Boolean).join('')}>${escaped(content)}</text>`;
};

/** Text that is no markup. */
export const escaped = (content: string): string => content.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
