import { expect, it } from 'vitest';
import { runCli, startMagpie } from '../../support/gateway-process.ts';
import { expectUnharmed, underAttack } from '../kit/attack.ts';
import { post } from '../kit/http.ts';
import { startVictim } from '../kit/victim.ts';

/** Sets the title, clears the screen, hides what follows, turns the line around. */
const HOSTILE = '\u001b]0;title\u0007\u001b[2J\u001b[8m\u009b31m\u202eevil\u2066\r\u0008';
/** C0 but for line ends and tabs, DEL, C1, and the controls of writing direction. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

it('what a device or an app says never reaches the terminal of an operator as a command', async () => {
  const victim = await startVictim({
    connections: { away: { type: 'memory', broker: 'away' } },
    routes: {
      refused: {
        from: { connection: 'http', topic: 'hostile/#' },
        when: 'payload.missing > 1',
        to: { connection: 'away', channel: 'out' },
      },
    },
  });
  const outputs = new Map<string, string>();
  const outcome = await underAttack(victim, async () => {
    const headers = { [`x-${HOSTILE}`]: HOSTILE };
    const fields = { subject: HOSTILE, type: HOSTILE, correlationId: HOSTILE, headers };
    const messages = [
      { topic: 'hostile/a', text: HOSTILE, ...fields },
      { topic: `hostile/${HOSTILE}`, payload: { [HOSTILE]: HOSTILE }, ...fields },
      { topic: 'hostile/c', text: 'the last one' },
    ];
    const tail = await startMagpie(['tail', '--since', 'earliest', '--url', victim.url]);
    const answers = [];
    for (const message of messages) answers.push(await post(`${victim.url}/v1/messages`, message));
    await tail.says(/the last one/);
    await tail.stop();
    outputs.set('tail', tail.output());
    const ref = String(JSON.parse(answers[0]!.body).ref);
    const { deadLetters } = JSON.parse(await (await fetch(`${victim.url}/v1/dead-letters`)).text());
    expect(deadLetters.length).toBeGreaterThan(0);
    for (const words of [
      ['trace', ref],
      ['dead-letters', 'list'],
      ['dead-letters', 'show', String(deadLetters[0].id)],
      ['targets'],
      ['explain', '--connection', 'http', `topic=hostile/${HOSTILE}`],
    ]) {
      const { stdout, stderr } = await runCli(
        ...words,
        ...(words[0] === 'explain' ? ['-c', victim.home.file] : ['--url', victim.url]),
      );
      outputs.set(words.slice(0, 2).join(' '), stdout + stderr);
    }
    return messages.length;
  });
  expectUnharmed(outcome, { growth: 100 });
  for (const [command, output] of outputs) expect(CONTROL.exec(output)?.[0], command).toBeUndefined();
  expect(CONTROL.exec(victim.gateway.logs())?.[0], 'log').toBeUndefined();
});
