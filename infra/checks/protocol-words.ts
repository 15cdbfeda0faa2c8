import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './command.ts';

/** Packages that must not know any protocol. */
const PACKAGES = ['contract', 'access', 'adapter-kit', 'bus', 'routing', 'core'] as const;

const WORDS = new Set(['mqtt', 'amqp', 'xmpp', 'jid', 'stanza', 'qos']);

/** The protocol words of a text: alone, in an identifier (`mqttClient`, `toJid`, `JID_LIMIT`) or in the plural. */
export function protocolWords(text: string): readonly string[] {
  const words = text
    .replace(/QoS/g, 'Qos')
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z]+/)
    .map((word) => word.toLowerCase());
  return words.filter((word) => WORDS.has(word) || WORDS.has(word.replace(/s$/, '')));
}

/** Lines of the protocol-neutral packages that name a protocol, as `file:line: words`; undefined when there are none. */
export function findProtocolWords(root = ROOT): string | undefined {
  const found = PACKAGES.flatMap((name) => sourceFiles(join(root, 'packages', name, 'src'))).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) => lineReport(file.slice(root.length + 1), index + 1, line)),
  );
  return found.length === 0 ? undefined : `protocol words where no protocol may be known:\n${found.join('\n')}`;
}

function lineReport(file: string, line: number, text: string): readonly string[] {
  const words = protocolWords(text);
  return words.length === 0 ? [] : [`${file}:${line}: ${[...new Set(words)].join(', ')}`];
}

function sourceFiles(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(directory, name));
}
