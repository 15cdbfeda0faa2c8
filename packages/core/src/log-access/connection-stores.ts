import type { EventLog } from '@magpie/bus';
import type { ConnectionStore } from '@magpie/contract';
import type { StateWriter } from './state-writer.ts';

/** Bounds of a key and of a value, bytes. */
const KEY_BYTES = 2 * 1024;
const VALUE_BYTES = 64 * 1024;

/**
 * What connections keep beyond the process, in the log. Called once per start of a connection; a connection that is no longer
 * configured leaves its values behind, for when it comes back.
 * @returns the store of one connection.
 */
export const connectionStores =
  (log: Pick<EventLog, 'values'>, writer: Pick<StateWriter, 'commit'>) =>
  (connection: string): ConnectionStore => ({
    entries: () => log.values(connection),
    put: async (values) => {
      for (const [key, value = ''] of values) checkSize(key, value);
      await writer.commit({ values: [...values].map(([key, value]) => ({ connection, key, value })) });
    },
  });

function checkSize(key: string, value: string): void {
  if (Buffer.byteLength(key) > KEY_BYTES) throw new RangeError(`a key of more than ${KEY_BYTES} bytes`);
  if (Buffer.byteLength(value) > VALUE_BYTES) throw new RangeError(`a value of more than ${VALUE_BYTES} bytes`);
}
