import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@magpie/contract';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type FetchRules, FileFetcher } from '../src/fetch/file-fetcher.ts';
import type { Resolve } from '../src/fetch/guarded-connector.ts';
import { isPublicAddress } from '../src/fetch/public-address.ts';

const NEVER = new AbortController().signal;
const RULES: FetchRules = { maxBytes: 1_000, allow: [] };
const HERE: FetchRules = { ...RULES, allow: ['127.0.0.1'] };

async function host(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.headers.host} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, port, url: `http://127.0.0.1:${port}/f` };
}

const outcome = async (url: string, rules = RULES, resolve?: Resolve): Promise<string> => {
  const fetcher = new FileFetcher(systemClock, resolve);
  onTestFinished(() => fetcher.close());
  return fetcher.fetch(url, rules, NEVER).then(
    ({ body, mediaType }) => `${mediaType} ${Buffer.from(body).toString()}`,
    (error: Error) => `${error.name}: ${error.message}`,
  );
};

describe('an address', () => {
  it.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
    '%s is public',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each([
    ...['0.0.0.0', '127.0.0.1', '127.255.255.255', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1'],
    ...['169.254.169.254', '100.64.0.1', '192.0.0.192', '198.18.0.1', '224.0.0.1', '255.255.255.255', '203.0.113.5'],
    ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '2001:db8::1', '2002:7f00:1::'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:ffff:a00:1', '64:ff9b::7f00:1', '::127.0.0.1', '2001::1'],
    ...['', 'localhost', '1.1.1', '0x7f.1', '2130706433'],
  ])('"%s" is not', (address) => expect(isPublicAddress(address)).toBe(false));
});

describe('a file behind an address that somebody has named', () => {
  it.each([
    ...['127.0.0.1', '2130706433', '0177.0.0.1', '0x7f000001', '127.1', '127.0.0.1.', '%31%32%37.0.0.1', '①②⑦.0.0.1'],
    ...[
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:0:0:1]',
      'localhost',
      'LOCALHOST',
      '0.0.0.0',
      '0',
    ],
  ])('is not fetched from this machine, written as %s', async (written) => {
    const { asked, port } = await host((_request, response) => response.end('secret'));
    expect(await outcome(`http://${written}:${port}/`)).toMatch(/not an address of the public Internet/);
    expect(asked).toEqual([]);
  });

  it('is fetched from the address that was checked, whatever its name resolves to a moment later', async () => {
    const { asked, port } = await host((_request, response) => response.end('secret'));
    let times = 0;
    const rebinding: Resolve = (_host, _options, found) => {
      times += 1;
      found(null, [{ address: times === 1 ? '203.0.113.99' : '127.0.0.1', family: 4 }]);
    };
    expect(await outcome(`http://evil.example:${port}/`, RULES, rebinding)).toMatch(/not an address of the public/);
    const mixed: Resolve = (_host, _options, found) =>
      found(null, [
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    expect(await outcome(`http://evil.example:${port}/`, RULES, mixed)).toBe(
      'FetchProblem: evil.example is 127.0.0.1, which is not an address of the public Internet',
    );
    expect(asked).toEqual([]);
  });

  it('is fetched from a host that is allowed, and a redirection from there is checked anew', async () => {
    const inner = await host((_request, response) => response.end('secret'));
    const { url, asked } = await host(({ url: path }, response) => {
      if (path === '/f') response.writeHead(302, { location: `http://localhost:${inner.port}/` }).end();
      else response.writeHead(200, { 'content-type': 'Image/PNG; x=1' }).end('picture');
    });
    expect(await outcome(url.replace('/f', '/ok'), HERE)).toBe('image/png picture');
    expect(await outcome(url, HERE)).toMatch(/^FetchProblem: localhost is (127.0.0.1|::1), which is not/);
    expect(asked).toHaveLength(2);
    expect(inner.asked).toEqual([]);
  });

  const images: FetchRules = { ...HERE, mediaTypes: ['image/*'] };
  it.each<[string, FetchRules, Record<string, string>, number, RegExp]>([
    ['is larger than the limit, by what is said', HERE, { 'content-length': '1001' }, 1_001, /larger than 1000 bytes/],
    ['is larger than the limit without saying so', HERE, {}, 100_000, /larger than 1000 bytes/],
    ['ends early', HERE, { 'content-length': '900' }, 10, /^FetchProblem/],
    ['is compressed', HERE, { 'content-encoding': 'gzip' }, 10, /compressed/],
    ['is of another type', images, { 'content-type': 'text/html' }, 10, /media type is text\/html, expected image/],
    ['is of no type', images, {}, 10, /media type is not stated/],
  ])('is not taken when it %s', async (_title, rules, headers, size, expected) => {
    const { url } = await host((_request, response) => {
      response.writeHead(200, headers).write('a'.repeat(size));
      setImmediate(() => response.destroy());
    });
    expect(await outcome(url, rules)).toMatch(expected);
  });

  it.each(['file:///etc/passwd', 'ftp://example.org/', 'http://user:pass@example.org/', 'nonsense', 'data:,x'])(
    'is none at %s',
    async (url) => expect(await outcome(url)).toMatch(/^FetchProblem: (expected|the address)/),
  );

  it('is given up after three redirections, and for any answer but 200', async () => {
    const { url, asked } = await host((_request, response) => response.writeHead(301, { location: '/f' }).end());
    expect(await outcome(url, HERE)).toBe('FetchProblem: more than 3 redirections');
    expect(asked).toHaveLength(4);
    const missing = await host((_request, response) => response.writeHead(404).end());
    expect(await outcome(missing.url, HERE)).toBe('FetchProblem: HTTP 404');
  });
});
