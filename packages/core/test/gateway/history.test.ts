import { createMemoryLog, type Position } from '@magpie/bus';
import { newRef } from '@magpie/contract';
import { expect, it } from 'vitest';
import { readPage } from '../../src/reads/history.ts';

const MIB = 1024 * 1024;

it('a page of many large events ends early, and the next ones bring the rest', async () => {
  const log = createMemoryLog();
  const body = new Uint8Array(MIB);
  const place = { address: { scheme: 'channel', segments: ['a'] }, key: 'k', kind: 'message' as const, source: 's' };
  const rest = { headers: [], via: [], origin: {}, time: 0, receivedAt: 1 };
  const refs = Array.from({ length: 20 }, () => newRef());
  await log.commit({ append: refs.map((ref) => ({ event: { ref, body, ...place, ...rest } })) });
  const seen: string[] = [];
  for (let from: Position | undefined; ; ) {
    const { events, next } = await readPage(log, {}, { ...(from ? { from } : {}), limit: 500 });
    expect(events.length).toBeLessThanOrEqual(4);
    seen.push(...events.map(({ event }) => event.ref));
    if (!next) break;
    from = next;
  }
  expect(seen).toEqual(refs);
});
