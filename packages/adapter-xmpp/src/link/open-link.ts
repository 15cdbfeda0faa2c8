import type { ClientStreamEvents } from './client-stream.ts';
import { Link, type LinkEvents, type LinkOptions } from './link.ts';
import type { ResumableSession } from './resumable-session.ts';
import type { XmlStream } from './stream.ts';

/**
 * Logs in and resumes or starts a session. One attempt; the signal ends it. Rejects with a taxonomy error, leaves nothing behind.
 * @param open dials and starts to negotiate; how, depends on what we log in as.
 */
export async function openLink(
  open: (events: ClientStreamEvents, signal: AbortSignal) => Promise<XmlStream>,
  options: LinkOptions,
  session: ResumableSession,
  events: LinkEvents,
  signal: AbortSignal,
): Promise<Link> {
  const link = new Link(options, session, events);
  await link.establish((streamEvents) => open(streamEvents, signal), signal);
  return link;
}
