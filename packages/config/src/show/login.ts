/** A login, with or without a scheme before it: user, password. Greedy, as a password may hold any character. */
export const LOGIN = /((?:[a-z][a-z0-9+.-]*:\/\/)?[^\s:@"']*):(.*)@/is;

/** The password in a URL, also in one that is broken or has no scheme; undefined when there is none. */
export const passwordIn = (value: unknown): string | undefined =>
  (typeof value === 'string' && LOGIN.exec(value)?.[2]) || undefined;
