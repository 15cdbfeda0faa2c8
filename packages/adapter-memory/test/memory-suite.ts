import { type MemoryConfig, memoryAdapter, memoryBroker } from '@magpie/adapter-memory';
import type { AdapterSite, AdapterSuite, PeerMessage } from '@magpie/testkit';

const TLS_CASES = ['tls-trusted', 'tls-certificate', 'tls-untrusted', 'tls-name', 'tls-unverified', 'tls-unreadable'];

const PASSWORD = 'canary-correct-horse';

/** The memory adapter as the contract suite sees it; also the ground on which planted defects must be found. */
export const memorySuite: AdapterSuite<MemoryConfig, unknown, unknown> = {
  name: 'memory',
  definition: memoryAdapter,
  limits: { receiveWindow: 32, deadline: 3_000, expiryTolerance: 0 },
  unsupported: {
    ...Object.fromEntries(TLS_CASES.map((name) => [name, 'the broker lies in the same process'])),
    'held-place': 'the window is one of the session, for all channels',
  },
  addresses: ['channel:plant/p7/alarm', 'channel:inbox'],
  access: {
    valid: ['pump-7', 'gateway/floor', '*'],
    invalid: ['', 'two words', 'a*'],
    decisions: [
      { entry: 'pump-7', origin: { channel: 'a', sender: 'pump-7' }, permits: true },
      { entry: 'pump-7', origin: { channel: 'a', sender: 'pump-70' }, permits: false },
      { entry: '*', origin: { channel: 'a', sender: '' }, permits: true },
    ],
  },
  start: async () => ({ prepare: async (id: string) => prepareSite(id), stop: async () => undefined }),
};

/** A broker of its own for each case; the peer is the broker's handle. */
function prepareSite(id: string): AdapterSite {
  const broker = memoryBroker(id);
  broker.requirePassword(PASSWORD);
  const received: PeerMessage[] = [];
  broker.closeChannel('closed/p7', 'no room left');
  broker.subscribe('out/#', ({ body, retain, properties }) => received.push({ ...properties, body, retain }));
  const connection = { broker: id, password: PASSWORD, window: 32 };
  return {
    connection,
    badCredentials: { ...connection, password: 'canary-wrong-battery' },
    source: { channel: 'in/+/data' },
    otherSource: { channel: 'other/#' },
    target: { channel: 'out/p7' },
    refusing: {
      target: { channel: 'closed/p7' },
      open: async () => broker.closeChannel('closed/p7', undefined),
    },
    peer: {
      publish: async (message, to = 'source') => broker.publish(to === 'other' ? 'other/p7' : 'in/p7/data', message),
      received: () => received,
    },
    cutLink: async () => broker.disconnectAll(),
    blackHole: async () => broker.silence(),
    restoreLink: async () => broker.restore(),
    stopBroker: async () => broker.stop(),
    startBroker: async () => broker.start(),
    close: async () => broker.reset(),
  };
}
