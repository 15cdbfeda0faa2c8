/** The same request with another value of a query parameter, for `Link` headers. */
export function withParameter(url: string, name: string, value: string): string {
  const [path, query = ''] = url.split('?');
  const parameters = new URLSearchParams(query);
  parameters.set(name, value);
  return `${path}?${parameters}`;
}
