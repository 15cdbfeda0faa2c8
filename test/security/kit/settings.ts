/** Whether this is the long form: minutes instead of seconds, the same attacks with more of everything. */
export const LONG = process.env.MAGPIE_SECURITY === 'long';

/** How much of something to try: `short` in the form that runs with all other tests, `long` in the long form. */
export const amount = (short: number, long: number): number => (LONG ? long : short);

/** Of several cases that differ little: the first `short` of them in the form that runs with all other tests. */
export const someOf = <Case>(cases: readonly Case[], short: number): readonly Case[] =>
  LONG ? cases : cases.slice(0, short);

/** File that figures are also appended to, one JSON object per line. None in the short form. */
export const RESULTS = process.env.MAGPIE_SECURITY_RESULTS;

/** The environment of tests in a form; `results`: file for the figures. */
export const environmentOf = (form: 'short' | 'long', results: string): NodeJS.ProcessEnv => ({
  MAGPIE_SECURITY: form,
  MAGPIE_SECURITY_RESULTS: results,
});
