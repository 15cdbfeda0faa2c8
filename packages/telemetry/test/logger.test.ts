import { LOG_FIELDS, type Logger, Secret } from '@magpie/contract';
import { createLogger, type LoggerOptions } from '@magpie/telemetry';
import { describe, expect, it } from 'vitest';

function record(options: LoggerOptions = {}): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  return { logger: createLogger({ ...options, output: { write: (line) => void lines.push(line) } }), lines };
}

describe('the logger', () => {
  it('writes JSON lines with level, time and message', () => {
    const { logger, lines } = record();
    logger.warn({ connection: 'floor', count: 2 }, 'slow');
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      connection: 'floor',
      count: 2,
      msg: 'slow',
    });
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = record({ level: 'error' });
    logger.info({}, 'no');
    logger.error({}, 'yes');
    expect(lines).toHaveLength(1);
  });

  it('gives children their fields', () => {
    const { logger, lines } = record();
    logger.child({ connection: 'chat' }).child({ ref: 'x' }).info({ ms: 1 }, 'm');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ connection: 'chat', ref: 'x', ms: 1 });
  });

  it('shows no secret, body or password in a URL', () => {
    const { logger, lines } = record({ level: 'debug' });
    const secret = new Secret('hunter2');
    // A value of another shape may still bring fields that the types forbid.
    const careless: readonly object[] = [
      { config: { password: 'hunter2', key: secret }, secret },
      { payload: 'hunter2', text: 'hunter2', event: { body: 'hunter2' }, token: 'hunter2' },
    ];
    for (const fields of careless) logger.info(fields, 'm');
    logger.error({ url: 'mqtt://me:hunter2@h:1883/x' }, 'cannot reach mqtt://me:hunter2@h');
    logger.child({ url: 'amqp://u:hunter2@h' }).info({}, 'm');
    expect(lines).toHaveLength(4);
    expect(lines.join('')).not.toContain('hunter2');
    expect(lines[2]).toContain('mqtt://me:[secret]@h:1883/x');
  });

  it('cannot steer the terminal with foreign text in lines for people', () => {
    const { logger, lines } = record({ pretty: true });
    logger.warn(
      { place: 'a\u001b[2J', error: '\u009b' },
      'the room says \u202e\u001b]0;x\u0007\n12:00:00.000 INFO  all is well',
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|\n./);
    expect(lines[0]).toContain('the room says \\u202e\\u001b]0;x\\u0007\\n12:00');
  });

  it('takes the fields of the table and no others', () => {
    const { logger } = record();
    logger.info({ connection: 'floor', place: 'plant/#', count: 2 }, 'm');
    // @ts-expect-error -- a field that the table does not know
    logger.info({ topic: 'plant/#' }, 'm');
    // @ts-expect-error -- no field has an object
    logger.child({ connection: { name: 'floor' } });
    expect(Object.keys(LOG_FIELDS)).not.toContain('topic');
  });

  it('writes lines for people on request', () => {
    const { logger, lines } = record({ pretty: true });
    logger.info({ connection: 'floor', reason: 'a b' }, 'up');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}up connection=floor reason="a b"\n$/);
  });
});
