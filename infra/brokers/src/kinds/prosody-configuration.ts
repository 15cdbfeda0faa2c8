import { join } from 'node:path';
import type { Setting } from '../launch.ts';
import { componentsOf, UPLOAD_LIMIT, type XmppPort, type XmppServerOptions, xmppSite } from './xmpp-server.ts';

/**
 * Writes the text of `prosody.cfg.lua`. Pure; called before every start. No option is set twice: Prosody warns of that, and ends
 * over the warning itself when the path of the file is longer than 60 characters.
 */
export function prosodyConfiguration(setting: Setting<XmppPort>, options: XmppServerOptions): string {
  const extra = options.extraConfig ?? [];
  const replaced = new Set(extra.map(optionOf));
  const own = [...server(setting), ...listeners(setting, options), ...features(options)];
  return `${[...own.filter((line) => !replaced.has(optionOf(line))), ...extra, ...hosts(options)].join('\n')}\n`;
}

const optionOf = (line: string): string => line.split('=', 1)[0]!.trim();

function server({ dataDir, tls, certificate }: Setting<XmppPort>): string[] {
  return [
    // Prosody would otherwise refuse to run as root, or change to its system user.
    'run_as_root = true',
    'daemonize = false',
    `pidfile = ${lua(join(dataDir, 'prosody.pid'))}`,
    `data_path = ${lua(join(dataDir, 'data'))}`,
    `certificates = ${lua(join(dataDir, 'data'))}`,
    'log = { { levels = { min = "info" }, to = "console" } }',
    `ssl = { key = ${lua(tls.key)}; certificate = ${lua(certificate)} }`,
    'modules_disabled = { "s2s" }',
    'authentication = "internal_hashed"',
    'storage = "internal"',
  ];
}

function listeners({ ports }: Setting<XmppPort>, options: XmppServerOptions): string[] {
  return [
    'interfaces = { "127.0.0.1" }',
    'local_interfaces = { "127.0.0.1" }',
    'component_interfaces = { "127.0.0.1" }',
    'http_interfaces = { "127.0.0.1" }',
    `c2s_ports = { ${ports.plain} }`,
    `c2s_direct_tls_ports = { ${options.offerTls === false ? '' : ports.tls} }`,
    `component_ports = { ${ports.component} }`,
    `http_ports = { ${ports.http} }`,
    'https_ports = {}',
    `http_external_url = "http://127.0.0.1:${ports.http}/"`,
    // Which host a request to 127.0.0.1 is for.
    `http_default_host = ${lua(xmppSite.uploads)}`,
  ];
}

function features(options: XmppServerOptions): string[] {
  return [
    `modules_enabled = { ${modules(options).map(lua).join('; ')} }`,
    `c2s_require_encryption = ${options.requireTls ?? false}`,
    'allow_unencrypted_plain_auth = false',
    'archive_expires_after = "1w"',
    'default_archive_policy = true',
    `smacks_hibernation_time = ${options.hibernation ?? 300}`,
    'smacks_max_queue_size = 20000',
    `c2s_stanza_size_limit = ${options.stanzaSizeLimit ?? 262_144}`,
  ];
}

function modules(options: XmppServerOptions): string[] {
  return [
    ...['roster', 'saslauth', 'disco', 'ping', 'presence', 'message', 'iq', 'carbons', 'pep', 'private', 'blocklist'],
    ...['vcard4', 'vcard_legacy', 'time', 'uptime', 'version', 'offline', 'csi_simple', 'http'],
    ...(options.offerTls === false ? [] : ['tls']),
    ...(options.streamManagement === false ? [] : ['smacks']),
    ...(options.archive === false ? [] : ['mam']),
  ];
}

function hosts(options: XmppServerOptions): string[] {
  return [
    `VirtualHost ${lua(xmppSite.domain)}`,
    `Component ${lua(xmppSite.rooms)} "muc"`,
    `  modules_enabled = { ${options.archive === false ? '' : '"muc_mam"'} }`,
    '  restrict_room_creation = false',
    // Rooms open at once, without the owner's configuration round trip (XEP-0045 section 10.1.2).
    '  muc_room_locking = false',
    '  muc_room_default_history_length = 20',
    '  muc_log_by_default = true',
    // Left out unless it is asked for: here it would hide what `extraConfig` says for all.
    ...(options.persistentRooms === undefined ? [] : [`  muc_room_default_persistent = ${options.persistentRooms}`]),
    `Component ${lua(xmppSite.nodes)} "pubsub"`,
    `  admins = { ${(options.nodeOwners ?? []).map((name) => lua(`${name}@${xmppSite.domain}`)).join('; ')} }`,
    `Component ${lua(xmppSite.uploads)} "http_file_share"`,
    `  http_file_share_size_limit = ${UPLOAD_LIMIT}`,
    ...componentsOf(options).flatMap((domain) => [
      `Component ${lua(domain)}`,
      `  component_secret = ${lua(xmppSite.componentSecret)}`,
    ]),
  ];
}

/** A Lua string literal; JSON's escapes for quotes and backslashes are Lua's. */
const lua = (text: string): string => JSON.stringify(text);
