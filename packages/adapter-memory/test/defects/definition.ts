import { memoryAdapter } from '@magpie/adapter-memory';
import { z } from 'zod';
import type { Defect } from './defect.ts';

const channel = memoryAdapter.addresses[0]!;

/** Defects in what an adapter says of itself: schemas, addresses, access. */
export const DEFINITION: readonly Defect[] = [
  {
    defect: 'has a key without a description',
    foundBy: ['schemas-documented'],
    definition: { targetSchema: z.strictObject({ channel: z.string() }) },
  },
  {
    defect: 'accepts unknown keys',
    foundBy: ['schemas-documented'],
    definition: { sourceSchema: z.object({ channel: z.string().describe('Channel to receive from.') }) },
  },
  {
    defect: 'lets a substituted value add segments and wildcards',
    foundBy: ['address-encoding'],
    definition: { addresses: [{ ...channel, encode: (value) => value }] },
  },
  {
    defect: 'writes addresses that it cannot read',
    foundBy: ['address-round-trip'],
    definition: { addresses: [{ ...channel, format: (segments) => segments.join('/').toLowerCase().trim() }] },
  },
  {
    defect: 'lets everyone use every route',
    foundBy: ['access'],
    definition: { access: { open: true, validate: () => undefined, permits: () => true } },
  },
];
