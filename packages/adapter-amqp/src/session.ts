import { onAbort } from '@magpie/adapter-kit';
import { type AdapterContext, type Connection, MagpieError } from '@magpie/contract';
import type { AmqpConfig } from './config.ts';
import { toContractError } from './errors.ts';
import { createScratch, type Scratch } from './link/check-channel.ts';
import { declare } from './link/declare.ts';
import { displayUrl, type Link, openLink } from './link/link.ts';
import { watchOutages } from './link/queue-outages.ts';
import { createReceiver } from './receive/consumers.ts';
import { createOutbox } from './send/outbox.ts';

/** Everything between one successful connect and the loss or closing of its links. */
export interface Session extends Pick<Connection, 'receive' | 'send'> {
  /** One round trip on both links. Rejects with the library's error. */
  probe(): Promise<void>;
  quiesce(): Promise<void>;
  /** Goodbye on both links. */
  close(): Promise<void>;
  cut(): void;
}

/** An exchange every virtual host has (AMQP 0-9-1, 3.1.3.1): looking it up needs no permission. */
const PROBED_EXCHANGE = 'amq.direct';

/** Both links of a connection: a memory alarm stops the one that publishes and leaves the other alone. */
interface Links {
  readonly consume: Link;
  readonly publish: Link;
  cut(): void;
}

/**
 * Opens both links, declares the topology and opens the publishing channel. `lost` is called at most once, when either
 * link is gone before `close`; all resources of the session are freed by then. After a rejection nothing is left open.
 */
export async function openSession(
  config: AmqpConfig,
  context: AdapterContext,
  lost: (session: Session, error: MagpieError) => void,
  signal: AbortSignal,
): Promise<Session> {
  let onClosed = (_error: MagpieError): void => undefined;
  const links = await openLinks(config, context, (error) => onClosed(error), signal);
  const stop = onAbort(signal, () => links.cut());
  try {
    const outages = await declare(config.declare, createScratch(links.consume));
    const outbox = createOutbox(links.publish, config, context);
    await outbox.open();
    if (!links.consume.alive() || !links.publish.alive()) throw new Error('the link was lost while connecting');
    const session = createSession({ links, outbox, stopOutages: watchOutages(outages, context) }, config, context);
    onClosed = (error) => {
      onClosed = () => undefined;
      session.abandon(error);
      lost(session, error);
    };
    return session;
  } catch (error) {
    links.cut();
    throw error instanceof MagpieError ? error : toContractError('link', error, displayUrl(config));
  } finally {
    stop();
  }
}

async function openLinks(
  config: AmqpConfig,
  context: AdapterContext,
  closed: (error: MagpieError) => void,
  signal: AbortSignal,
): Promise<Links> {
  const title = (purpose: string): string => `magpie ${context.gatewayId} ${context.name} ${purpose}`;
  const open = (purpose: string): Promise<Link> =>
    openLink(
      { config, title: title(purpose) },
      { closed, blocked: (reason) => tellBlocked(context, purpose, reason) },
      signal,
    );
  const results = await Promise.allSettled([open('consume'), open('publish')]);
  const [consume, publish] = results;
  if (consume.status === 'fulfilled' && publish.status === 'fulfilled') {
    const both = [consume.value, publish.value];
    return { consume: consume.value, publish: publish.value, cut: () => both.forEach((link) => void link.cut()) };
  }
  for (const result of results) if (result.status === 'fulfilled') result.value.cut();
  throw consume.status === 'rejected' ? consume.reason : publish.status === 'rejected' ? publish.reason : undefined;
}

function tellBlocked(context: AdapterContext, purpose: string, reason: string | undefined): void {
  const state = reason === undefined ? undefined : `blocked: ${reason}`;
  context.detail(`${purpose} link`, state, 'trouble');
}

/** The parts of a session. */
interface SessionParts {
  readonly links: Links;
  readonly outbox: ReturnType<typeof createOutbox>;
  stopOutages(): void;
}

function createSession(
  { links, outbox, stopOutages }: SessionParts,
  config: AmqpConfig,
  context: AdapterContext,
): Session & { abandon(error: MagpieError): void } {
  const receiver = createReceiver(links.consume, config, context);
  const probes = [links.consume, links.publish].map((link) => ({ link, scratch: createScratch(link) }));
  return {
    receive: receiver.receive,
    send: outbox.send,
    async probe() {
      await Promise.all(probes.map(({ link, scratch }) => roundTrip(link, scratch)));
    },
    quiesce: receiver.quiesce,
    async close() {
      stopOutages();
      receiver.abandon();
      await Promise.all([links.consume.close(), links.publish.close()]);
    },
    cut() {
      stopOutages();
      links.cut();
    },
    abandon(error) {
      stopOutages();
      receiver.abandon();
      outbox.abandon(error);
      context.detail('publish link', undefined);
      links.cut();
    },
  };
}

/** A blocked link is alive but answers nothing: the broker does not read it until the alarm is over. */
async function roundTrip(link: Link, scratch: Scratch): Promise<void> {
  if (link.blocked() !== undefined) return;
  await Promise.race([link.untilBlocked(), scratch((channel) => channel.checkExchange(PROBED_EXCHANGE))]);
}
