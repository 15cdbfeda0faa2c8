import { Secret } from '@magpie/contract';
import { redactUrls } from '@magpie/schema-messages';
import type { Config } from '../config.ts';

/**
 * The effective configuration as JSON without secrets: `Secret` values and key hashes show `[secret]`, passwords are
 * removed from every URL. For `GET /v1/config` and `magpie check --show`.
 */
export function redactConfig({ version, gateway, http, connections, routes }: Config): Record<string, unknown> {
  return {
    version,
    gateway: redact(gateway),
    http: redact({ ...http, keys: http.keys.map((key) => ({ ...key, hash: '[secret]' })) }),
    connections: Object.fromEntries(
      connections.map(({ name, adapter, config, subscribe }) => [
        name,
        redact({
          type: adapter.type,
          ...(typeof config === 'object' ? config : {}),
          ...(subscribe.length > 0 ? { subscribe } : {}),
        }),
      ]),
    ),
    routes: redact(routes),
  };
}

function redact(value: unknown): unknown {
  if (value instanceof Secret) return value.toJSON();
  if (typeof value === 'string') return redactUrls(value);
  if (Array.isArray(value)) return value.map(redact);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redact(inner)]));
}
