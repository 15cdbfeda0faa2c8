import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProtocolWords, protocolWords } from '../protocol-words.ts';

describe('protocol words', () => {
  it.each([
    ['an mqtt client', ['mqtt']],
    ['const toJid = isMQTTTopic(xmppUrl)', ['jid', 'mqtt', 'xmpp']],
    ['JID_LIMIT and stanzas', ['jid', 'stanzas']],
    ['QoS 1', ['qos']],
    ['AMQP', ['amqp']],
  ])('are found in %s', (text, words) => expect(protocolWords(text)).toEqual(words));

  it.each(['rigid, aqjida', 'quality of service', 'a broker with queues and rooms'])('are not seen in %s', (text) =>
    expect(protocolWords(text)).toEqual([]),
  );

  it('are reported with file and line', () => {
    const root = mkdtempSync(join(tmpdir(), 'magpie-words-'));
    for (const name of ['contract', 'access', 'adapter-kit', 'bus', 'routing', 'core'])
      mkdirSync(join(root, 'packages', name, 'src'), { recursive: true });
    expect(findProtocolWords(root)).toBeUndefined();
    writeFileSync(join(root, 'packages/core/src/planted.ts'), 'one\nconst mqttTopic = 2;\n');
    expect(findProtocolWords(root)).toContain('\npackages/core/src/planted.ts:2: mqtt');
    rmSync(root, { recursive: true });
  });
});
