/** A login, with or without a scheme before it: user, password. Greedy, as a password may contain any character. */
export const LOGIN = /((?:[a-z][a-z0-9+.-]*:\/\/)?[^\s:@"']*):(.*)@/is;

/** The password in a URL, even if the URL is malformed or has no scheme; undefined without one. */
export const passwordIn = (value: unknown): string | undefined =>
  (typeof value === 'string' && LOGIN.exec(value)?.[2]) || undefined;
