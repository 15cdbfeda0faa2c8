import { type Defect, never } from './defect.ts';

/** Defects in the life of a link, and in what is left of it. */
export const LINK: readonly Defect[] = [
  {
    defect: 'ignores the signal',
    foundBy: ['connect-aborted', 'connect-abort', 'send-aborted', 'send-abort', 'probe-silent'],
    connection: (sound) => ({
      connect: () => sound.connect(never),
      send: (event, target) => sound.send(event, target, never),
      probe: () => sound.probe(never),
    }),
  },
  {
    defect: 'takes an open socket for health',
    foundBy: ['probe-silent', 'send-while-down'],
    connection: () => ({ probe: async () => undefined }),
  },
  {
    defect: 'reports a lost link twice',
    foundBy: ['lost-once'],
    prepare: (config, context) => [
      config,
      {
        ...context,
        lost(error) {
          context.lost(error);
          context.lost(error);
        },
      },
    ],
  },
  {
    defect: 'does not report a lost link',
    foundBy: ['lost-once', 'restart-receiving'],
    prepare: (config, context) => [config, { ...context, lost: () => undefined }],
  },
  {
    defect: 'reports a goodbye as a lost link',
    foundBy: ['open-close'],
    connection: (sound, _config, context) => ({
      async close(signal) {
        await sound.close(signal);
        await sound.probe(never).catch((error) => context.lost(error));
      },
    }),
  },
  {
    defect: 'logs its password',
    foundBy: ['secrets-hidden'],
    connection: (sound, config, context) => ({
      connect(signal) {
        context.logger.debug({ reason: `the password is ${config.password?.reveal()}` }, 'connecting');
        return sound.connect(signal);
      },
    }),
  },
  {
    defect: 'leaves a timer behind',
    foundBy: ['no-handles'],
    connection: (sound) => ({
      connect(signal) {
        setTimeout(() => undefined, 3_000);
        return sound.connect(signal);
      },
    }),
  },
  {
    defect: 'leaves a listener on each signal',
    foundBy: ['no-listeners'],
    connection: (sound) => ({
      send(event, target, signal) {
        signal.addEventListener('abort', () => undefined);
        return sound.send(event, target, signal);
      },
    }),
  },
  {
    defect: 'hangs in close on a silent link',
    foundBy: ['close-silent'],
    connection: (sound) => ({ close: () => sound.close(never) }),
  },
];
