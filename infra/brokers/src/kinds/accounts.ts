import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type XmppServer, xmppSite } from './xmpp-server.ts';

/**
 * Makes an account of `localhost` on a running server, which survives SIGKILL from then on; takes some milliseconds, on ejabberd
 * up to 0.2 s. Called by tests for accounts of their own, on shared servers too.
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
    return untilWritten(join(dataDir, 'mnesia', 'passwd.DAT'), name);
  }
  // prosodyctl needs half a second for each; Prosody reads the file at the first login and hashes the password then.
  const directory = join(dataDir, 'data', xmppSite.domain, 'accounts');
  await mkdir(directory, { recursive: true });
  const file = name.replace(/[^a-z0-9]/gi, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
  await writeFile(join(directory, `${file}.dat`), `return { ["password"] = ${JSON.stringify(password)}; };\n`);
}

/** Longest wait for a file, ms. */
const PATIENCE_MS = 10_000;

/** Resolves when the file holds this text as Erlang writes a binary: its length and its bytes. */
async function untilWritten(file: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  const written = Buffer.concat([Buffer.from('m'), length, bytes]);
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await readFile(file)).includes(written)) {
    if (performance.now() > deadline)
      throw new Error(`ejabberd has not written "${text}" to ${file} in ${PATIENCE_MS} ms`);
    await sleep(10);
  }
}
