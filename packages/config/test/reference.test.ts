import { configJsonSchema, configReference } from '@magpie/config';
import { describe, expect, it } from 'vitest';
import { sampleAdapters } from './sample-adapter.ts';

const page = configReference(sampleAdapters);

describe('the configuration reference', () => {
  it.each([
    '| **`id`** ↻ | name of letters, digits, ".", "_" and "-", at most 64 long |  |',
    '| `log.retain` | duration | `7d` |',
    '| `port` ↻ | whole number, 0 to 65535 | `8080` |',
    '| **`keys[].hash`** | SHA-256 of the key as 64 hexadecimal digits (secret) |',
    '| `keepAlive` | whole number, 1 to 600 | `30` | Seconds between pings. |',
    '| `mode` | `fast`, `careful` | `careful` | How to send. |',
    '| `tls.ca` | path |  | Certificates to trust. |',
    '| **`rooms[].room`** | text |  | Its address. |',
    '## Connections of `type: sample`',
    '| **`from`** | mapping |  |',
    '| `when` | text |  | Condition (CEL) an event must meet |',
    '| **`connection`** | text |  | Name of the connection to send to; never a template |',
    '## `from` of the built-in connection `http`',
  ])('has %s', (row) => expect(page).toContain(row));

  it('is the same every time', () => expect(configReference(sampleAdapters)).toBe(page));
});

describe('the JSON Schema of a configuration', () => {
  it('offers every type but the built-in one', () => {
    const schema = JSON.stringify(configJsonSchema(sampleAdapters));
    expect(schema).toContain('"type":{"const":"sample"}');
    expect(schema).not.toContain('{"const":"http"}');
  });

  it('carries types, bounds and descriptions of the adapters', () => {
    expect(configJsonSchema(sampleAdapters)).toMatchObject({
      properties: {
        version: { const: 1 },
        connections: {
          additionalProperties: {
            oneOf: [
              { required: ['type', 'url'], properties: { keepAlive: { minimum: 1, maximum: 600, default: 30 } } },
            ],
          },
        },
      },
    });
  });
});
