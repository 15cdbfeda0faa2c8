import { hashOfSecret } from '@magpie/access';
import { expect, test } from 'vitest';
import { command } from '../support/command.ts';

test('a new key is shown once with the lines that let it in', async () => {
  const { stdout } = await command('key', 'new', 'web-app', '--role', 'viewer');
  const [key = ''] = /mpk_[\w-]{43}/.exec(stdout) ?? [];
  expect(stdout).toContain(`      - id: web-app
        hash: ${hashOfSecret(key)}
        roles: [viewer]
`);
});

test('two keys are never the same, and JSON has all of one', async () => {
  const keys = await Promise.all(
    [1, 2].map(async () => JSON.parse((await command('key', 'new', 'a', '--json')).stdout)),
  );
  expect(keys[0].key).not.toBe(keys[1].key);
  expect(keys[0]).toEqual({ id: 'a', key: keys[0].key, hash: hashOfSecret(keys[0].key), roles: [] });
});

test('an id that no configuration could hold, and a role that does not exist, are refused', async () => {
  await expect(command('key', 'new', 'a b')).rejects.toThrow('Expected letters, digits');
  await expect(command('key', 'new', 'a', '--role', 'root')).rejects.toThrow('viewer, operator, editor, admin');
});
