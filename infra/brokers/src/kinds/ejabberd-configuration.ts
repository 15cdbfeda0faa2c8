import { join } from 'node:path';
import type { Setting } from '../launch.ts';
import { componentsOf, UPLOAD_LIMIT, type XmppPort, type XmppServerOptions, xmppSite } from './xmpp-server.ts';

/** What `startEjabberd` takes. */
export interface EjabberdOptions extends XmppServerOptions {
  /**
   * What is kept of passwords, which decides the logins offered: `SHA-256` (default) permits SCRAM-SHA-256 and, with TLS,
   * PLAIN; `plain` permits SCRAM-SHA-1 and all others as well.
   */
  readonly storedPasswords?: 'SHA-256' | 'plain';
  /** Stanzas that a client with stream management may leave unacknowledged before its session is ended. Default 20,000. */
  readonly ackQueue?: number;
  /** Bytes per second that a client may send. Default: no limit. */
  readonly shaper?: number;
}

/** Writes the text of `ejabberd.yml`: a line of JSON, which is YAML, for each key. Pure; called before every start. */
export function ejabberdConfiguration(setting: Setting<XmppPort>, options: EjabberdOptions): string {
  const keys = {
    ...server(setting, options),
    ...traffic(options),
    listen: listeners(setting, options),
    modules: modules(setting, options),
  };
  const lines = Object.entries(keys).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `${[...lines, ...(options.extraConfig ?? [])].join('\n')}\n`;
}

function server({ tls, certificate }: Setting<XmppPort>, { storedPasswords = 'SHA-256' }: EjabberdOptions) {
  return {
    hosts: [xmppSite.domain],
    loglevel: 'info',
    certfiles: [certificate, tls.key],
    ca_file: tls.ca,
    auth_method: 'internal',
    ...(storedPasswords === 'plain'
      ? { auth_password_format: 'plain' }
      : { auth_password_format: 'scram', auth_scram_hash: 'sha256' }),
    disable_sasl_mechanisms: ['X-OAUTH2'],
    // The HTTP API is what `control` uses; it listens on 127.0.0.1 only.
    api_permissions: { control: { who: { ip: '127.0.0.1/8' }, what: '*' } },
  };
}

function traffic({ shaper }: EjabberdOptions) {
  return {
    ...(shaper === undefined ? {} : { shaper: { clients: shaper } }),
    shaper_rules: { max_user_offline_messages: 20_000 },
  };
}

function listeners({ ports }: Setting<XmppPort>, options: EjabberdOptions) {
  const { offerTls = true, requireTls = true, stanzaSizeLimit = 262_144, shaper } = options;
  const client = {
    ip: '127.0.0.1',
    module: 'ejabberd_c2s',
    max_stanza_size: stanzaSizeLimit,
    shaper: shaper === undefined ? 'none' : 'clients',
  };
  const starttls = { starttls: true, starttls_required: requireTls };
  const password = { password: xmppSite.componentSecret };
  return [
    { ...client, port: ports.plain, ...(offerTls ? starttls : {}) },
    ...(offerTls ? [{ ...client, port: ports.tls, tls: true }] : []),
    {
      port: ports.component,
      ip: '127.0.0.1',
      module: 'ejabberd_service',
      hosts: Object.fromEntries(componentsOf(options).map((domain) => [domain, password])),
    },
    {
      port: ports.http,
      ip: '127.0.0.1',
      module: 'ejabberd_http',
      request_handlers: { '/upload': 'mod_http_upload', '/api': 'mod_http_api' },
    },
  ];
}

const PLAIN_MODULES = [
  ...['mod_adhoc', 'mod_admin_extra', 'mod_blocking', 'mod_caps', 'mod_carboncopy', 'mod_client_state', 'mod_disco'],
  ...['mod_http_api', 'mod_last', 'mod_muc_admin', 'mod_offline', 'mod_ping', 'mod_privacy', 'mod_private'],
  ...['mod_roster', 'mod_vcard', 'mod_version'],
];

function modules(setting: Setting<XmppPort>, options: EjabberdOptions) {
  const { archive = true, streamManagement = true, hibernation = 300, ackQueue = 20_000 } = options;
  return {
    ...Object.fromEntries(PLAIN_MODULES.map((name) => [name, {}])),
    mod_pubsub: { plugins: ['flat', 'pep'] },
    mod_muc: rooms(options),
    mod_http_upload: {
      host: xmppSite.uploads,
      access: 'all',
      put_url: `http://127.0.0.1:${setting.ports.http}/upload`,
      docroot: join(setting.dataDir, 'upload'),
      max_size: UPLOAD_LIMIT,
    },
    ...(archive ? { mod_mam: { default: 'always', assume_mam_usage: true } } : {}),
    ...(streamManagement
      ? {
          mod_stream_mgmt: {
            resend_on_timeout: 'if_offline',
            resume_timeout: hibernation,
            max_ack_queue: ackQueue,
          },
        }
      : {}),
  };
}

const rooms = ({ archive = true, persistentRooms = false }: EjabberdOptions) => ({
  host: xmppSite.rooms,
  history_size: 20,
  max_user_conferences: 10_000,
  default_room_options: { mam: archive, persistent: persistentRooms },
});
