import { hashOfSecret, newSecret, ROLE_NAMES, type Role } from '@magpie/access';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { print, printJson } from '../output/print.ts';

interface KeyOptions {
  readonly role?: Role;
  readonly json?: true;
}

const NAME = /^[\w-]{1,64}$/;

/** `magpie key new`: makes a key for the API. */
export function addKey(program: Command): void {
  const key = program.command('key').description('keys for the API');
  key
    .command('new')
    .argument('<id>', 'name of the key, for logs and events', idOf)
    .description('make a key: shows it once, and the lines of the configuration that let it in')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLE_NAMES))
    .option('--json', 'print JSON')
    .action(show);
}

/** Throws `InvalidArgumentError`, which commander prints with the name of the argument. */
function idOf(text: string): string {
  if (NAME.test(text)) return text;
  throw new InvalidArgumentError('Expected letters, digits, "_" and "-", at most 64.');
}

function show(id: string, { role, json }: KeyOptions): void {
  const secret = newSecret();
  const hash = hashOfSecret(secret);
  if (json) {
    printJson({ id, key: secret, hash, roles: role ? [role] : [] });
    return;
  }
  const may = role ? `roles: [${role}]` : 'grants: [{ action: publish, connection: http, address: "topic:orders/#" }]';
  print(`The key, shown this once; give it to the app:

  ${secret}

Its entry in the configuration, in force after a reload${role ? '' : '; say what it may do'}:

  http:
    keys:
      - id: ${id}
        hash: ${hash}
        ${may}
`);
}
