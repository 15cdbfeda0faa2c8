import { ACTIONS, ROLE_NAMES, ROLES } from '@magpie/access';
import type { z } from 'zod';
import { LINKS, RESOURCES } from '../resources/index.ts';
import { messageFields } from '../resources/messages/schema.ts';
import { CLIENT_FRAMES, CLOSE, PROTOCOL, SERVER_FRAMES, STREAM_LIMITS } from '../stream/frames.ts';
import { MAPPING } from './mapping.ts';

type Frames = Readonly<Record<string, z.ZodObject>>;

/** The documentation page about HTTP and WebSocket, as Markdown. Deterministic, as it is kept under version control. */
export const httpReference = (): string => [introduction, rest(), access(), mapping(), stream(), flow()].join('\n');

const introduction = `# HTTP and WebSocket

<!-- Generated from the tables in packages/api by infra/checks/docs.ts; do not edit. -->

Apps publish by REST and read by history or by a WebSocket stream. The connection \`http\` is built in: routes receive from it
with \`from: { connection: http, topic: notices/# }\`. It sends nothing; apps read.
`;

const rest = (): string => `## REST

${table(
  ['Request', 'What it does', 'Needs'],
  LINKS.map(({ method, href, title }, index) => [`\`${method} ${href}\``, title, needOf(RESOURCES[index])]),
)}

\`GET /v1/openapi.json\` describes all of it. Keys go into \`Authorization: Bearer <key>\` and are needed for everything but
\`/livez\` and \`/readyz\` once \`http.keys\` has one. Errors are problem details (RFC 9457) with the wrong fields in \`errors\`.

Pages of other origins may neither read nor change anything unless \`http.cors.origins\` names them. A request that changes something is
refused with 403 when its \`Origin\` or \`Sec-Fetch-Site\` says that such a page sent it, with keys or without.

202 means that the message is on disk. What cannot be stored now says in \`Retry-After\` when to try again: 429 a target that the
message feeds has a full backlog, 507 the disk is full, 503 the gateway stops or bodies
of 64 MiB wait to be stored already. \`GET /v1\` shows what holds intake up. Bodies count as they arrive; where there is no room, the
one that has been arriving for the longest is answered 503 and cut, so that slow clients do not keep quick ones out.

The same \`Idempotency-Key\` with the same message gives the same answer and one event,
within the dedupe window; with anything else in the message, be it a topic or a place behind a connection, it is refused with 422, while the first
is under way with 409 and \`Retry-After\`. The headers of the request and the order of fields are not compared. In a batch each message has its
own result, and its own key made of the batch's key and its place.

A connection works on one request at a time; at most 64 sent ahead wait behind it. A request that is not complete after 30 s (its
headers after 10 s) is answered 408, and a client that takes nothing of its answer for 60 s is cut. A WebSocket is opened at
\`/v1/stream\` alone; elsewhere that is answered 426.

A page of history or of dead letters may end before its \`limit\`, where its events are large or few of those looked at fit; \`next\` leads
on. Large answers of 64 MiB are made or unread at a time; a request beyond that waits up to 10 s for its turn, and is answered 503 after
it. A client that has taken longer than 10 s over a large answer is cut when others wait. An event that cannot be written,
such as one of an earlier version, is shown as a placeholder with \`unreadable\`.

### Fields of a message

${table(
  ['Field', 'Meaning'],
  [...messageFields].map(([name, meaning]) => [`\`${name}\``, meaning]),
)}
`;

/** What a resource asks of a key; the stream is no resource. */
function needOf(found: (typeof RESOURCES)[number] | undefined): string {
  if (!found) return '`subscribe`';
  if (found.open) return 'no key';
  return found.needs ? `\`${found.needs.action}\`` : 'any key';
}

const access = (): string => `## Who may do what

Without \`http.keys\` the API listens to this machine only, and everybody there may do everything. With keys, each may do what its
\`roles\` and \`grants\` say and nothing else. \`magpie key new ID\` makes a key and shows its entry; the file holds its hash alone:

\`\`\`yaml
http:
  keys:
    - id: web-app
      hash: \${env:WEB_APP_KEY_SHA256}
      grants:
        - { action: publish, connection: http, address: "topic:orders/#" }
        - { action: subscribe, connection: floor, address: "topic:plant/+/alarm" }
        - { action: subscribe, connection: floor, address: "topic:plant/vault/#", effect: deny }
    - id: operations
      hash: \${env:OPERATIONS_KEY_SHA256}
      roles: [operator]
\`\`\`

What no grant allows is refused with 403, in words that name what is missing; a \`deny\` wins over every \`allow\`. A subscription or a page of
history needs an \`allow\` that covers all it asks for, and no \`deny\` that touches it. What a key may not read does not exist for it: 404,
and lists leave it out. \`\${principal.id}\` in an address stands for the id of the key. A direct send (\`to\`) needs \`publish\` at the place it
goes to, and is read there. The retry of a dead letter needs \`operate\`, with changes \`publish\` as well. A reload takes changed keys up at once; streams of a key that is gone or may do something else
now are closed with 4403. An event says in \`origin.principal\` who has sent it, such as \`key:web-app\`; conditions can use it. Who may \`edit\` the configuration can make
routes to anywhere.

${table(
  ['Action', 'What it permits', ...ROLE_NAMES],
  Object.entries(ACTIONS).map(([action, meaning]) => [
    `\`${action}\``,
    meaning,
    ...ROLE_NAMES.map((role) => (ROLES[role].some((grant) => grant.action === action) ? 'yes' : '')),
  ]),
)}
`;

const mapping = (): string => `## What maps to what

${table(
  ['Concept', 'Event', 'Publishing', 'Reading'],
  MAPPING.map(({ concept, field, publish, shown }) => [concept, `\`${field}\``, publish, shown]),
)}
`;

const stream = (): string => `## The stream

\`/v1/stream\` is a WebSocket with the subprotocol \`${PROTOCOL}\`. Every frame is one JSON object in a text frame; a field with
\`?\` may be left out. A page, which cannot set headers, gets a ticket by \`POST /v1/tickets\` and opens \`/v1/stream?ticket=…\`.

### Frames of the app

${frameTable(CLIENT_FRAMES)}

### Frames of the gateway

${frameTable(SERVER_FRAMES)}
`;

const flow = (): string => `### Flow and limits

Without \`credit\` events come as fast as the app reads them. At ${STREAM_LIMITS.bufferedBytes / 1024} KiB unsent a socket gets no
more, credit or not; nothing is lost or buffered, the log is the buffer. A socket that stays full for ${STREAM_LIMITS.slowMs / 1000} s is
closed. A frame of the
gateway has at most ${STREAM_LIMITS.eventFrameBytes} bytes; an event beyond it comes without its body, with \`bodyUrl\` and \`bytes\` instead.
A frame of the app has at most ${STREAM_LIMITS.frameBytes / 1024} KiB, a socket at most ${STREAM_LIMITS.subscriptions} subscriptions. The gateway
pings every ${STREAM_LIMITS.pingMs / 1000} s and cuts a socket that has missed ${STREAM_LIMITS.missedPings} pings.

To resume, subscribe with the last position seen as \`after\`.

${table(
  ['Close code', 'Reason', 'Connect again?'],
  Object.values(CLOSE).map(({ code, reason, again }) => [`${code}`, reason, again ? 'yes' : 'not unchanged']),
)}
`;

const frameTable = (frames: Frames): string =>
  table(
    ['Frame', 'Fields', 'Meaning'],
    Object.entries(frames).map(([name, frame]) => [`\`${name}\``, fieldsOf(frame), frame.description ?? '']),
  );

const fieldsOf = ({ shape }: z.ZodObject): string =>
  Object.entries(shape)
    .filter(([name]) => name !== 'type')
    .map(([name, field]) => `\`${name}${isOptional(field) ? '?' : ''}\``)
    .join(', ');

const isOptional = (field: z.core.$ZodType): boolean => field._zod.optin === 'optional';

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
