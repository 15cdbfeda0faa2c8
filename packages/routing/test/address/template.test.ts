import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { event, problemsOf, route } from '../support/adapters.ts';

const rendered = (to: Record<string, unknown>, of: Parameters<typeof event>[0], from = 'a/{b}'): readonly string[] => {
  const routes = route({ from: { connection: 'floor', path: from }, to });
  const [match] = routes.match(event(of));
  if (match === undefined) throw new Error('no match');
  return match.target.render(event(of)).target.address.segments;
};

const toPath = (path: string): Record<string, unknown> => ({ connection: 'yard', path });
const at = (...segments: string[]) => ({ address: { scheme: 'path', segments } });

describe('a target address', () => {
  it('keeps its number of segments and gets no wildcard, whatever the values', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (a, b) => {
        let segments: readonly string[] = [];
        try {
          segments = rendered(toPath('x/${payload.a}/y-${payload.b}/z'), { json: { a, b } });
        } catch (error) {
          expect(error).toMatchObject({ name: 'Rejected' });
          return;
        }
        expect(segments).toHaveLength(4);
        expect(segments.join('/')).not.toMatch(/[+#\0]/);
        expect(segments.join('/').split('/')).toHaveLength(4);
      }),
    );
  });

  it('keeps its number of words under a scheme with another separator', () => {
    fc.assert(
      fc.property(fc.string(), (a) => {
        const segments = rendered({ connection: 'office', board: 'b', label: 'x.${payload.a}.z' }, { json: { a } });
        expect(segments).toHaveLength(4);
        expect(segments.join('.').split('.')).toHaveLength(4);
      }),
    );
  });

  it('takes a captured segment of the same scheme as it is', () => {
    expect(rendered(toPath('x/${b}'), at('a', 'p%2Fq.r'))).toEqual(['x', 'p%2Fq.r']);
  });

  it('encodes a captured segment of another scheme', () => {
    expect(rendered({ connection: 'office', board: 'm', label: '${b}.set' }, at('a', 'p.q%'))).toEqual([
      'm',
      'p%2Eq%25',
      'set',
    ]);
  });

  it('encodes a computed value even of the same scheme', () => {
    expect(rendered(toPath('x/${b + "/+"}'), at('a', 'p'))).toEqual(['x', 'p%2F%2B']);
  });

  it('splices a captured tail that stands alone', () => {
    expect(rendered(toPath('x/${rest}/y'), at('a', 'p', 'q'), 'a/{rest*}')).toEqual(['x', 'p', 'q', 'y']);
    expect(rendered(toPath('x/${rest}/y'), at('a'), 'a/{rest*}')).toEqual(['x', 'y']);
    const label = { connection: 'office', board: 'b', label: '${rest}' };
    expect(rendered(label, at('a', 'p.p', 'q'), 'a/{rest*}')).toEqual(['b', 'p%2Ep', 'q']);
  });

  it('writes numbers and booleans, and rejects what is no word', () => {
    expect(rendered(toPath('x/${payload.n}/${payload.t}'), { json: { n: 5, t: true } })).toEqual(['x', '5', 'true']);
    expect(() => rendered(toPath('x/${payload.n}'), { json: { n: null } })).toThrow('is null');
    expect(() => rendered(toPath('x/${payload.n}'), { json: { n: [1] } })).toThrow('is a list');
    expect(() => rendered(toPath('x/${payload.n}'), { json: { n: {} } })).toThrow('is a map');
  });

  it('is rejected when the scheme refuses the result', () => {
    expect(() => rendered(toPath('x/${payload.n}'), { json: { n: 'y'.repeat(300) } })).toThrow('more than 200');
    expect(() => rendered(toPath('x/${b}'), at('a', '#'))).toThrow('the wildcard "#"');
  });

  it('may contain expressions with separators and braces', () => {
    expect(rendered(toPath('x/${{"a/b": "}/"}["a/b"]}/z'), {})).toEqual(['x', '}%2F', 'z']);
  });

  it.each([
    [toPath('a/+'), '/routes/r/to/path', 'not an address to send to: the wildcard "+"'],
    [toPath('+/${payload.x}'), '/routes/r/to/path', 'can never be sent to'],
    [toPath('x-${["a"]}'), '/routes/r/to/path', 'is a list'],
    [{ connection: '${b}', path: 'x' }, '/routes/r/to/connection', 'never a template'],
    [{ connection: 'yard' }, '/routes/r/to', 'expected "path"'],
    [{ connection: 'office', desk: 'a', board: 'b' }, '/routes/r/to', 'cannot be used together'],
    [{ connection: 'office', desk: 'a', label: 'b' }, '/routes/r/to/label', 'does not go with "desk"'],
    [{ connection: 'mute', path: 'x' }, '/routes/r/to/connection', 'cannot send'],
  ])('%j is refused at load', (to, pointer, message) => {
    const [problem] = problemsOf({ to });
    expect(problem).toMatchObject({ severity: 'error', pointer });
    expect(problem?.message).toContain(message);
  });
});
