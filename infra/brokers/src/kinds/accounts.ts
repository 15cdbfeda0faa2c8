import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type XmppServer, xmppSite } from './xmpp-server.ts';

/**
 * Makes an account of `localhost` on a running server; takes some milliseconds. Called by tests for accounts of their own, on
 * shared servers too.
 * @param name local part of the JID, in lower case.
 * @throws Error when ejabberd refuses, as it does for an account that exists; Prosody's is given the new password.
 */
export async function createAccount(
  { name: kind, dataDir, control }: Pick<XmppServer, 'name' | 'dataDir' | 'control'>,
  name: string,
  password: string,
): Promise<void> {
  if (kind === 'ejabberd') {
    await control('register', JSON.stringify({ user: name, host: xmppSite.domain, password }));
    return;
  }
  // prosodyctl needs half a second for each; Prosody reads the file at the first login and hashes the password then.
  const directory = join(dataDir, 'data', xmppSite.domain, 'accounts');
  await mkdir(directory, { recursive: true });
  const file = name.replace(/[^a-z0-9]/gi, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  await writeFile(join(directory, `${file}.dat`), `return { ["password"] = ${JSON.stringify(password)}; };\n`);
}
