import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ADAPTERS } from '../../src/adapters.ts';
import { compileFile } from '../../src/config/compile.ts';
import { fileWith } from '../support/fixtures.ts';

const problemsOf = (connection: string, mode: number) => {
  const path = fileWith(`version: 1\ngateway: { id: a }\nconnections:\n  erp: ${connection}\n`);
  chmodSync(path, mode);
  const { problems, source } = compileFile(ADAPTERS, { path, env: { PW: 'pw' } });
  return problems.map((problem) => `${source.locate(problem).line} ${problem.severity}: ${problem.message}`);
};

const WARNING = '4 warning: this file contains a secret, and every user of this machine can read it (mode 0644)';

test.each([
  ['{ type: amqp, url: "amqp://h", password: pw }', 0o644, [WARNING]],
  ['{ type: amqp, url: "amqp://u:pw@h" }', 0o644, [WARNING]],
  ['{ type: amqp, url: "amqp://u:pw@h" }', 0o640, []],
  ['{ type: amqp, url: "amqp://u:${env:PW}@h", password: "${env:PW}" }', 0o644, []],
  ['{ type: amqp, url: "amqp://h" }', 0o644, []],
])('%s in a file of mode %i', (connection, mode, expected) => {
  expect(problemsOf(connection, mode)).toEqual(expected);
});
