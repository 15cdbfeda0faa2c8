import { waitFor } from '@magpie/testkit';

/** A connection as `/v1/connections/{name}` shows it. */
export interface ShownConnection {
  readonly state: string;
  readonly attempts: number;
  readonly alarm?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The state of a connection of the gateway at `url`. */
export async function connectionState(url: string, name: string): Promise<ShownConnection> {
  const response = await fetch(`${url}/v1/connections/${name}`);
  if (!response.ok) throw new Error(`${response.status} for the connection ${name}`);
  return JSON.parse(await response.text());
}

/** Waits until a connection looks like that. */
export function connectionThat(
  url: string,
  name: string,
  what: string,
  looks: (shown: ShownConnection) => boolean,
): Promise<ShownConnection> {
  const ask = async (): Promise<ShownConnection | undefined> => {
    const shown = await connectionState(url, name);
    return looks(shown) ? shown : undefined;
  };
  return waitFor(ask, { what: `connection "${name}" ${what}`, timeout: 30_000, interval: 50 });
}
