import { describe, expect, it } from 'vitest';
import { measureCrowd } from '../../support/crowd.ts';

/** The long form, with ten thousand: `npm run contacts`. */
describe.each(['prosody', 'ejabberd'] as const)('very many contacts, on %s', (name) => {
  it.each([
    { people: 3, contacts: 100 },
    { people: 1, contacts: 300 },
  ])(
    'of $people people with $contacts each are all told of at a login and after a crash of the gateway',
    async (size) => {
      const { login, burst, ready, ended } = await measureCrowd(name, size);
      expect(ended).toBe(0);
      expect(login).toBeLessThan(5);
      expect(burst - ready).toBeLessThan(10);
    },
  );
});
