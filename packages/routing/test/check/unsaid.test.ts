import { describe, expect, it } from 'vitest';
import { compile, toOffice } from '../support/adapters.ts';

const unsaid = (to: object | readonly object[], more: object = {}): readonly (readonly string[])[] =>
  compile({ r: { from: { connection: 'floor', path: 'a/{b}' }, to, ...more } })
    .routes.guarantees()
    .map((each) => each.unsaid);

describe('what a target leaves unsaid', () => {
  it('is all that its protocol says beside the body, unless the target reads it', () => {
    expect(unsaid(toOffice())).toEqual([['levels', 'clients']]);
    expect(unsaid(toOffice({ payload: { at: ['${origin.level}'], text: '${text}' } }))).toEqual([['clients']]);
  });

  it('is judged for each target by itself', () => {
    const to = [toOffice({ id: 'one', subject: 'by ${origin.client.name}' }), toOffice({ id: 'two' })];
    expect(unsaid(to)).toEqual([['levels'], ['levels', 'clients']]);
  });

  it('is nothing of what "when" or "let" look at, or an expression that takes everything', () => {
    expect(unsaid(toOffice(), { when: '!has(origin.level)' })).toEqual([['clients']]);
    expect(unsaid(toOffice({ text: '${who}' }), { let: { who: 'origin.?client.?name.orValue("")' } })).toEqual([
      ['levels'],
    ]);
    expect(unsaid(toOffice({ headers: { all: '${origin}' } }))).toEqual([[]]);
  });

  it('goes by the kinds that the route takes, and a text that only looks like a field says nothing', () => {
    const from = { connection: 'floor', path: 'a/{b}', kind: 'receipt' };
    expect(unsaid(toOffice({ text: 'origin.level' }), { from })).toEqual([['receipts']]);
    expect(unsaid(toOffice({ text: '${event.kind}' }), { from })).toEqual([[]]);
  });

  it('is nothing where the source says nothing beside the body', () => {
    expect(unsaid({ connection: 'floor', path: 'x' }, { from: { connection: 'office', desk: 'd' } })).toEqual([[]]);
  });
});
