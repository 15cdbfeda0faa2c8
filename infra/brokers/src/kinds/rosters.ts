import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAccount } from './accounts.ts';
import { type XmppServer, xmppSite } from './xmpp-server.ts';

/**
 * Makes an account that has contacts already, all of them followed both ways: by files of the server, for a server spends as long
 * again on each one as on all before it when they are asked for one by one. Before the account's first login.
 * @param name local part of the JID, in lower case. @param contacts bare JIDs.
 */
export async function createAccountWithContacts(
  server: Pick<XmppServer, 'name' | 'dataDir' | 'control'>,
  name: string,
  password: string,
  contacts: readonly string[],
): Promise<void> {
  if (server.name === 'prosody') {
    await createAccount(server, name, password);
    const directory = join(server.dataDir, 'data', xmppSite.domain, 'roster');
    await mkdir(directory, { recursive: true });
    const items = contacts.map((jid) => `\t[${JSON.stringify(jid)}] = { subscription = "both"; groups = {}; };`);
    const file = ['return {', '\t[false] = { version = 1; pending = {}; };', ...items, '};', ''].join('\n');
    await writeFile(join(directory, `${name}.dat`), file);
    return;
  }
  // XEP-0227.
  const items = contacts.map((jid) => `<item jid='${jid}' subscription='both'/>`).join('');
  const user = `<user name='${name}' password='${password}'><query xmlns='jabber:iq:roster'>${items}</query></user>`;
  const file = join(server.dataDir, `${name}.xml`);
  await writeFile(
    file,
    `<?xml version='1.0'?><server-data xmlns='urn:xmpp:pie:0'><host jid='${xmppSite.domain}'>${user}</host></server-data>`,
  );
  await server.control('import_piefxis', JSON.stringify({ file }));
}
