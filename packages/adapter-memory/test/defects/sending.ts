import { type Connection, NotConnected, type SendReceipt, Transient } from '@magpie/contract';
import { type Defect, never } from './defect.ts';

const receipt: SendReceipt = { confirmedBy: 'broker' };
const withBody = (change: (body: Uint8Array) => Uint8Array) => (sound: Connection) => ({
  send: (...[event, target, signal]: Parameters<Connection['send']>) =>
    sound.send({ ...event, body: change(event.body) }, target, signal),
});

/** Defects in sending and confirming. */
export const SENDING: readonly Defect[] = [
  {
    defect: 'loses headers and ids',
    foundBy: ['receive-headers', 'receive-id', 'send-headers', 'send-correlation', 'send-reply-to', 'send-via'],
    prepare: (config, context) => [{ ...config, metadata: false }, context],
  },
  {
    defect: 'takes bodies for text',
    foundBy: ['send-bodies'],
    connection: withBody((body) => Buffer.from(Buffer.from(body).toString())),
  },
  {
    defect: 'cuts bodies that are as large as it claims',
    foundBy: ['send-largest'],
    connection: withBody((body) => body.subarray(0, 500_000)),
  },
  {
    defect: 'does not wait for the confirmation',
    foundBy: ['unknown-outcome', 'send-abort'],
    connection: (sound) => ({
      async send(event, target, signal) {
        sound.send(event, target, signal).catch(() => undefined);
        return receipt;
      },
    }),
  },
  {
    defect: 'queues sends while the link is down',
    foundBy: ['send-while-down', 'send-never-connected'],
    connection: (sound) => {
      const queue: (() => void)[] = [];
      return {
        async connect(signal) {
          await sound.connect(signal);
          for (const flush of queue.splice(0)) flush();
        },
        send: (event, target, signal) =>
          sound.send(event, target, signal).catch(() => {
            queue.push(() => void sound.send(event, target, never).catch(() => undefined));
            return receipt;
          }),
      };
    },
  },
  {
    defect: 'sends nothing while a verdict is missing',
    foundBy: ['send-while-held'],
    connection: (sound) => {
      let verdicts: Promise<unknown> = Promise.resolve();
      return {
        receive: (sources, sink) =>
          sound.receive(sources, (batch) => {
            const given = sink(batch);
            verdicts = Promise.all([verdicts, given]);
            return given;
          }),
        async send(event, target, signal) {
          await verdicts;
          return sound.send(event, target, signal);
        },
      };
    },
  },
  {
    defect: 'sends in any order',
    foundBy: ['send-ordered'],
    connection: (sound) => ({
      async send(event, target, signal) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
        return sound.send(event, target, signal);
      },
    }),
  },
  {
    defect: 'says that the link is at fault when a place refuses',
    foundBy: ['refusing-place'],
    connection: (sound) => ({
      send: (event, target, signal) =>
        sound.send(event, target, signal).catch((error: unknown) => {
          throw error instanceof Transient ? new NotConnected(error.message) : error;
        }),
    }),
  },
  {
    defect: 'hands over what it then forgets',
    foundBy: ['send-posted'],
    connection: () => ({ post: () => true }),
  },
];
