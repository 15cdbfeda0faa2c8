import { type Event, newRef, type OutgoingEvent } from '@magpie/contract';

/** A fixed time, ms since the epoch. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);

/** Sizes of bodies, in bytes. */
export const SIZES = [256, 4096] as const;

/** JSON of exactly `bytes` bytes as a sensor might send it: a few fields, then as many readings as fit. */
export function jsonBody(bytes: number): Buffer {
  const readings: { sensor: string; value: number; ok: boolean }[] = [];
  const text = (filler: string): string =>
    JSON.stringify({ device: 'pump-7', severity: 4, text: 'bearing is hot', readings, filler });
  while (text('').length + 48 <= bytes) {
    const index = readings.length;
    readings.push({ sensor: `s-${index}`, value: 20 + index / 8, ok: index % 3 > 0 });
  }
  return Buffer.from(text('x'.repeat(bytes - text('').length)));
}

/** `256 B`, `4 KB`. */
export const sizeText = (bytes: number): string => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KB`);

const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

const PARTS = {
  id: 'c0ffee00-1234-4abc-8def-0123456789ab',
  type: 'org.example.alarm',
  contentType: 'application/json',
  headers: [
    ['site', 'plant-a'],
    ['line', '7'],
  ],
  via: ['gateway-a'],
  trace: TRACE,
  time: NOW,
} as const;

/** An event as the log keeps it. */
export const storedEvent = (body: Uint8Array, parts: Partial<Event> = {}): Event => ({
  ...PARTS,
  ref: newRef(),
  source: 'floor',
  address: { scheme: 'topic', segments: ['plant', 'pump-7', 'alarm'] },
  kind: 'message',
  key: 'topic:plant/pump-7/alarm',
  receivedAt: NOW,
  origin: { topic: 'plant/pump-7/alarm', qos: 1, retain: false, replay: false, dup: false, packetId: 7, version: 5 },
  body,
  ...parts,
});

/** The same on its way to a target. */
export const outgoingEvent = (body: Uint8Array): OutgoingEvent => ({
  ...PARTS,
  ref: '019b7c5e-8a2d-7000-8000-0123456789ab',
  delivery: '5ad1a2c4-8a2d-8000-8000-0123456789ab',
  redelivered: false,
  body,
});
