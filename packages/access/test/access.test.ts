import type { AddressPattern, PatternSegment } from '@magpie/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Area, covers, createAccess, type Grant, grantsOf, overlaps, type Places } from '../src/index.ts';

const stepOf = (text: string): PatternSegment =>
  text === '+' ? { type: 'one' } : text === '#' ? { type: 'many' } : { type: 'literal', value: text };

const pattern = (text: string): AddressPattern => {
  if (text.includes('!')) throw new Error('not a pattern');
  return { scheme: 'topic', segments: text.split('/').map(stepOf) };
};

const reading = {};
const places: Places = { reading: () => reading, pattern, comparable: (address) => address };

const at = (text: string) => ({ scheme: 'topic', segments: text.split('/') });

const allow = (action: Grant['action'], address?: string, connection?: string): Grant => ({
  action,
  effect: 'allow',
  ...(address === undefined ? {} : { address }),
  ...(connection === undefined ? {} : { connection }),
});

const deny = (action: Grant['action'], address?: string, connection?: string): Grant => ({
  ...allow(action, address, connection),
  effect: 'deny',
});

const accessOf = (...grants: readonly Grant[]) => createAccess({ id: 'app', grants }, places);

const within = (text: string, connection?: string): Area => ({ connection, pattern: pattern(text) });

describe('grants', () => {
  it('take every spelling of a place for the same', () => {
    const lower = (text: string) => text.toLowerCase();
    const folding: Places = {
      ...places,
      comparable: ({ scheme, segments }) => ({ scheme, segments: segments.map(lower) }),
    };
    const grants = [allow('publish'), allow('read'), deny('publish', 'Ops/#'), deny('read', 'users/${principal.id}')];
    const access = createAccess({ id: 'App', grants }, folding);
    expect(access.at('publish', 'floor', at('OPS/p7'))).toContain('forbids it');
    expect(access.at('publish', 'floor', at('op/p7'))).toBeUndefined();
    expect(access.at('read', 'floor', at('users/app'))).toContain('forbids it');
    expect(access.within('read', within('USERS/+'))).toContain('forbids it');
    expect(access.within('publish', within('oPs/p7'))).toContain('forbids it');
  });

  it('allow nothing that is not granted', () => {
    const access = accessOf(allow('read', 'plant/#'));
    expect(access.at('publish', 'floor', at('plant/p7'))).toBe('no grant allows it');
    expect(access.at('read', 'floor', at('other/p7'))).toBe('no grant allows it');
    expect(access.at('read', 'floor', at('plant/p7'))).toBeUndefined();
    expect(access.everywhere('read')).toBe('no grant allows it');
  });

  it('of a connection say nothing of another', () => {
    const access = accessOf(allow('publish', undefined, 'floor'));
    expect(access.at('publish', 'floor', at('a'))).toBeUndefined();
    expect(access.at('publish', 'chat', at('a'))).toBe('no grant allows it');
    expect(access.somewhere('publish', 'floor')).toBeUndefined();
    expect(access.somewhere('publish', 'chat')).toBe('no grant allows it');
  });

  it('that deny win, in any order, and are named in the refusal', () => {
    for (const grants of [
      [allow('publish'), deny('publish', 'plant/+/cmd')],
      [deny('publish', 'plant/+/cmd'), allow('publish')],
    ]) {
      const access = accessOf(...grants);
      expect(access.at('publish', 'floor', at('plant/p7/cmd'))).toBe('the grant "deny publish plant/+/cmd" forbids it');
      expect(access.at('publish', 'floor', at('plant/p7/state'))).toBeUndefined();
    }
  });

  it('let a subscription in that an allow covers and no deny overlaps', () => {
    const access = accessOf(allow('subscribe', 'plant/#'), deny('subscribe', 'plant/secret/#'));
    expect(access.within('subscribe', within('plant/p7/#'))).toBeUndefined();
    expect(access.within('subscribe', within('plant/#'))).toContain('forbids it');
    expect(access.within('subscribe', within('+/p7'))).toBe('no grant allows it');
    expect(access.within('subscribe', { connection: 'floor', pattern: undefined })).toContain('forbids it');
  });

  it('of a connection do not let in a subscription to all', () => {
    const access = accessOf(allow('subscribe', 'plant/#', 'floor'));
    expect(access.within('subscribe', within('plant/p7', 'floor'))).toBeUndefined();
    expect(access.within('subscribe', within('plant/p7'))).toBe('no grant allows it');
  });

  it('put the id of the principal into addresses as one segment, whatever it contains', () => {
    const own = (id: string) => createAccess({ id, grants: [allow('publish', 'plant/${principal.id}/#')] }, places);
    expect(own('p7').at('publish', 'floor', at('plant/p7/state'))).toBeUndefined();
    expect(own('p7').at('publish', 'floor', at('plant/p8/state'))).toBe('no grant allows it');
    expect(own('+').at('publish', 'floor', at('plant/p8/state'))).toBe('no grant allows it');
    expect(own('#').at('publish', 'floor', at('plant/p8/state'))).toBe('no grant allows it');
    expect(own('a/b').at('publish', 'floor', at('plant/a/b'))).toBe('no grant allows it');
  });

  it('whose address cannot be read allow nothing and deny everything', () => {
    expect(accessOf(allow('publish', '!')).at('publish', 'floor', at('a'))).toBe('no grant allows it');
    expect(accessOf(allow('publish'), deny('publish', '!')).at('publish', 'floor', at('a'))).toContain('forbids it');
  });

  it('are read again when a connection has become one of another type', () => {
    let type = { name: 'one' };
    const access = createAccess(
      { id: 'app', grants: [allow('read', 'x', 'floor')] },
      { ...places, reading: () => type, pattern: () => pattern(type.name) },
    );
    expect(access.at('read', 'floor', at('one'))).toBeUndefined();
    type = { name: 'two' };
    expect(access.at('read', 'floor', at('one'))).toBe('no grant allows it');
    expect(access.at('read', 'floor', at('two'))).toBeUndefined();
  });
});

describe('roles', () => {
  const may = (role: 'viewer' | 'operator' | 'editor' | 'admin') =>
    (['read', 'subscribe', 'metrics', 'operate', 'edit', 'publish', 'request', 'admin'] as const).filter(
      (action) => createAccess({ id: 'x', grants: grantsOf([role], []) }, places).everywhere(action) === undefined,
    );

  it('permit more from the first to the last', () => {
    expect(may('viewer')).toEqual(['read', 'subscribe', 'metrics']);
    expect(may('operator')).toEqual(['read', 'subscribe', 'metrics', 'operate']);
    expect(may('editor')).toEqual(['read', 'subscribe', 'metrics', 'operate', 'edit', 'publish', 'request']);
    expect(may('admin')).toEqual(['read', 'subscribe', 'metrics', 'operate', 'edit', 'publish', 'request', 'admin']);
  });
});

describe('areas', () => {
  const step = fc.constantFrom('a', 'b', '+');
  const patterns = fc
    .tuple(fc.array(step, { maxLength: 3 }), fc.boolean())
    .map(
      ([steps, tail]): AddressPattern => ({ scheme: 't', segments: [...steps, ...(tail ? ['#'] : [])].map(stepOf) }),
    );
  const words = (depth: number): readonly string[][] =>
    depth === 0 ? [[]] : words(depth - 1).flatMap((word) => [word, ...['a', 'b', 'c'].map((next) => [...word, next])]);
  const all = [...new Map(words(4).map((word) => [word.join('/'), word])).values()];
  const fits = ({ segments }: AddressPattern, word: readonly string[]): boolean => {
    const tail = segments.at(-1)?.type === 'many';
    const fixed = tail ? segments.slice(0, -1) : segments;
    if (tail ? word.length < fixed.length : word.length !== fixed.length) return false;
    return fixed.every((each, index) => each.type !== 'literal' || each.value === word[index]);
  };
  const area = (given: AddressPattern): Area => ({ connection: undefined, pattern: given });

  it('cover and overlap as a comparison of all addresses says', () => {
    fc.assert(
      fc.property(patterns, patterns, (outer, inner) => {
        expect(covers(area(outer), area(inner))).toBe(all.every((word) => !fits(inner, word) || fits(outer, word)));
        expect(overlaps(area(outer), area(inner))).toBe(all.some((word) => fits(inner, word) && fits(outer, word)));
      }),
      { numRuns: 5000 },
    );
  });
});
