import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'ltx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/gateway-process.ts';

const GOOD = `version: 1
gateway: { id: plant-a }
connections:
  floor: { type: mqtt, url: "mqtt://127.0.0.1:1883" }
  erp: { type: amqp, url: "amqp://127.0.0.1:5672" }
routes:
  alarms:
    from: { connection: floor, topic: "plant/{device}/alarm", qos: 1 }
    when: payload.severity >= 3
    to: { connection: erp, queue: alarms, text: "\${device}: \${payload.text}" }
    tests:
      - given: { topic: plant/p7/alarm, payload: { severity: 4, text: hot } }
        expect: [{ connection: erp, text: "p7: hot" }]
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'magpie-cli-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Writes the good file with one text replaced; resolves to its path. */
async function fileWith(wrong: string, right = ''): Promise<string> {
  const path = join(directory, `${Buffer.from(wrong).toString('hex').slice(0, 40)}.yaml`);
  const text = wrong === '' ? GOOD : GOOD.replace(right, wrong);
  if (wrong !== '' && text === GOOD) throw new Error(`"${right}" does not occur in the file`);
  await writeFile(path, text);
  return path;
}

describe('check', () => {
  it('accepts a valid file and shows what each route guarantees', async () => {
    const { code, stdout } = await runCli('check', await fileWith(''));
    expect(stdout).toMatch(/alarms\s+erp\/queue:alarms\s+at-least-once/);
    expect(stdout).toContain('ok, 0 warnings; 1 routes, 1 targets, 1 of 1 route tests passed');
    expect(code).toBe(0);
  });

  it('names file, line and column of an unknown key and suggests the right one', async () => {
    const path = await fileWith('qoss: 1', 'qos: 1');
    const { code, stdout } = await runCli('check', path);
    expect(stdout).toContain(`${path}:8:63: error: unknown key "qoss"`);
    expect(stdout).toContain('did you mean "qos"?');
    expect(code).toBe(1);
  });

  it('points a caret at the mistake in an expression', async () => {
    const path = await fileWith('payload.severity >== 3', 'payload.severity >= 3');
    const { code, stdout } = await runCli('check', path);
    const lines = stdout.split('\n');
    const line = lines.findIndex((each) => each.startsWith('  9 | '));
    expect(lines[line]?.[lines[line + 1]!.indexOf('^')]).toBe('=');
    expect(stdout).toContain(`${path}:9:`);
    expect(code).toBe(1);
  });

  it('fails when a test of a route fails, and says what it expected and got', async () => {
    const { code, stdout } = await runCli('check', await fileWith('"p7: cold"', '"p7: hot"'));
    expect(stdout).toContain('expected "p7: cold", got "p7: hot"');
    expect(code).toBe(1);
  });

  it('prints a JUnit report that an XML parser reads', async () => {
    const { code, stdout } = await runCli('check', '--junit', await fileWith('"p7: <&\'>"', '"p7: hot"'));
    const suite = parse(stdout.replace(/^<\?xml[^>]*\?>\s*/, ''));
    expect(suite.attrs).toMatchObject({ tests: '2', failures: '1' });
    const failed = suite.getChildren('testcase').filter((testcase) => testcase.getChild('failure'));
    expect(failed.map(({ attrs }) => attrs.classname)).toEqual(['alarms']);
    expect(failed[0]?.getChild('failure')?.attrs.message).toContain('expected "p7: <&\'>"');
    expect(code).toBe(1);
  });

  it('prints problems, tests and guarantees as JSON', async () => {
    const { stdout } = await runCli('check', '--json', await fileWith(''));
    expect(JSON.parse(stdout)).toMatchObject({ problems: [], tests: [{ route: 'alarms' }], guarantees: [{}] });
  });

  it('says that a file is not there', async () => {
    const { code, stdout, stderr } = await runCli('check', join(directory, 'nothing.yaml'));
    expect(stdout + stderr).toContain('nothing.yaml');
    expect(stdout + stderr).toContain('cannot be read');
    expect(code).toBe(1);
  });
});

describe('explain', () => {
  const explain = async (severity: number) =>
    runCli('explain', '-c', await fileWith(''), 'floor', 'plant/p7/alarm', JSON.stringify({ severity, text: 'hot' }));

  it('shows what each target of a matching route would get', async () => {
    const { code, stdout } = await explain(4);
    expect(stdout).toContain('✔ alarms');
    expect(stdout).toContain('device = "p7"');
    expect(stdout).toContain('address: queue:alarms');
    expect(stdout).toContain('text: p7: hot');
    expect(code).toBe(0);
  });

  it('shows why a route does not match', async () => {
    const { stdout } = await explain(1);
    expect(stdout).toContain('✘ alarms');
    expect(stdout).toContain('payload.severity = 1');
  });

  it('lists the connections when the one named is unknown', async () => {
    const { code, stderr } = await runCli('explain', '-c', await fileWith(''), 'flor', 'plant/p7/alarm');
    expect(stderr).toContain('unknown connection "flor"');
    expect(stderr).toContain('floor');
    expect(code).toBe(1);
  });
});

describe('the command line', () => {
  it('prints its commands on --help', async () => {
    const { code, stdout } = await runCli('--help');
    for (const command of ['run', 'check', 'explain', 'publish', 'tail'])
      expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
    expect(code).toBe(0);
  });

  it.each([
    { what: 'command', args: ['chek', 'x.yaml'], suggestion: 'Did you mean check?' },
    { what: 'flag', args: ['check', '--junti', 'x.yaml'], suggestion: 'Did you mean --junit?' },
  ])('suggests the nearest $what for a misspelt one', async ({ args, suggestion }) => {
    const { code, stderr } = await runCli(...args);
    expect(stderr).toContain(suggestion);
    expect(code).toBe(1);
  });

  it('refuses to run a broken file, with its errors', async () => {
    const path = await fileWith('plant/#/alarm', 'plant/{device}/alarm');
    const { code, stderr } = await runCli('run', '-c', path);
    expect(stderr).toContain(`${path}:8:`);
    expect(stderr).toContain('has errors (see above)');
    expect(code).toBe(1);
  });

  it('says that no gateway answers at the URL', async () => {
    const { code, stderr } = await runCli('publish', 'notices/1', 'hello', '--url', 'http://127.0.0.1:9');
    expect(stderr).toContain('http://127.0.0.1:9');
    expect(code).toBe(1);
  });
});
