import { loadServerCertificate } from '@magpie/api';
import type { Config } from '@magpie/config';
import { ConfigInvalid, certificateFiles } from '@magpie/contract';
import type { Problem } from '@magpie/schema-messages';
import { modeText, readableByAll } from './permissions.ts';

/**
 * Problems of the files that `http.tls` names: the gateway could not start with them. Warns of a key that every user of the
 * machine can read. Called once per load; never throws.
 */
export function certificateProblems({ http: { tls } }: Config): readonly Problem[] {
  if (!tls) return [];
  try {
    loadServerCertificate(tls);
  } catch (error) {
    if (!(error instanceof ConfigInvalid) || error.pointer === undefined) throw error;
    const { pointer } = error;
    return [{ severity: 'error', pointer, message: error.message.slice(`${pointer}: `.length) }];
  }
  const [key] = certificateFiles({ key: tls.key });
  const mode = key === undefined ? undefined : readableByAll(key);
  if (mode === undefined) return [];
  return [
    {
      severity: 'warning',
      pointer: '/http/tls/key',
      message: `every user of this machine can read this key (mode ${modeText(mode)})`,
      hint: 'remove the permission (chmod o-r)',
    },
  ];
}
