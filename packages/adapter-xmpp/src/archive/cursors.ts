import type { AdapterContext } from '@magpie/contract';
import { z } from 'zod';
import { Kept } from '../kept.ts';

/** A place in an archive. */
export interface Point {
  /** Left out: the archive was empty. */
  readonly id?: string | undefined;
  /** When the message was archived, ms since the epoch. */
  readonly stamp: number;
}

/** Up to where an archive is in our log. */
export interface Cursor extends Point {
  /** The last id read in the archive itself: that of a live message may be forged. */
  readonly read?: string | undefined;
}

const cursorSchema = z.object({ id: z.string().optional(), stamp: z.number(), read: z.string().optional() });

/** The cursors of a connection's archives, by the JID of the archive, kept in the log. */
export type Cursors = Kept<Cursor>;

/** One per connection. */
export const createCursors = (context: Pick<AdapterContext, 'store' | 'clock' | 'logger'>): Cursors =>
  new Kept(context, 'archive ', cursorSchema);
