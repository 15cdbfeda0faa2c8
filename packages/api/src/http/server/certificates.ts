import { X509Certificate } from 'node:crypto';
import type { TlsOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import {
  type CertificateSettings,
  ConfigInvalid,
  errorMessage,
  type LoadedCertificates,
  type Logger,
  loadCertificates,
} from '@magpie/contract';

/** The TLS of an API, as configured. */
export interface TlsSettings extends CertificateSettings {
  /** Whether clients are asked for a certificate of `ca`, and whether they must have one. Default: they are not asked. */
  readonly clientAuth?: 'request' | 'require' | undefined;
}

/** The part of a server that takes other certificates while it runs. */
interface Renewable {
  setSecureContext(options: LoadedCertificates['options']): void;
}

const DAY = 86_400_000;

/** An alarm is raised this long before a certificate ends, or when a fifth of its time is left, if that is less; ms. */
const MOST_NOTICE = 7 * DAY;

/** The certificate of a server and its key: read at the start, and again when their files change. */
export class Certificates {
  readonly #settings: TlsSettings;
  readonly #logger: Logger;
  #loaded: LoadedCertificates['options'];
  #problem: string | undefined;

  /** Reads the files; throws `ConfigInvalid` with the pointer of the key under `http` when that fails. */
  constructor(settings: TlsSettings, logger: Logger) {
    this.#settings = settings;
    this.#logger = logger;
    this.#loaded = loadServerCertificate(settings);
  }

  /** For the server that is made with them. */
  get options(): TlsOptions {
    const { clientAuth } = this.#settings;
    return {
      ...this.#loaded,
      requestCert: clientAuth !== undefined,
      rejectUnauthorized: clientAuth === 'require',
    };
  }

  /**
   * Reads the files again. New connections get what is new in them; open ones live on. What cannot be used changes nothing but
   * raises an alarm. Never throws. Called when a file may have changed.
   */
  renew(server: Renewable): void {
    try {
      const next = loadServerCertificate(this.#settings);
      this.#problem = undefined;
      if (isDeepStrictEqual(next, this.#loaded)) return;
      server.setSecureContext(next);
      this.#loaded = next;
      this.#logger.info({}, `the certificate of the API was renewed: it ends at ${endOf(next)?.toISOString()}`);
    } catch (error) {
      const problem = `${errorMessage(error)}: the one before stays in use until this is put right`;
      if (problem !== this.#problem) this.#logger.error({ error: 'ConfigInvalid' }, problem);
      this.#problem = problem;
    }
  }

  /** What needs a human: files that cannot be used, a certificate that ends soon or has ended. Read by `GET /v1`. */
  alarms(now: number = Date.now()): string[] {
    const problems = this.#problem === undefined ? [] : [this.#problem];
    const certificate = certificateOf(this.#loaded);
    if (!certificate) return problems;
    const end = certificate.validToDate.getTime();
    const notice = Math.min(MOST_NOTICE, (end - certificate.validFromDate.getTime()) / 5);
    if (now < end - notice) return problems;
    const ends = `${now < end ? 'ends' : 'ended'} at ${certificate.validToDate.toISOString()}`;
    return [...problems, `the certificate of the API (http.tls.cert) ${ends}: renew it`];
  }
}

/** Advice by pointer of what is wrong. */
const ADVICE: Readonly<Record<string, string>> = {
  '/tls/cert': 'name the PEM file of the certificate, readable by the gateway',
  '/tls/key':
    'name the PEM file of the key that belongs to cert, readable by the gateway, and its passphrase if it has one',
  '/tls/ca': 'name the PEM file of the authority that signs client certificates, readable by the gateway',
};

/**
 * Reads the certificate of the API and its key. Called at the start, at every check of a configuration and when a file changes.
 * @throws ConfigInvalid with the pointer of the key in the configuration, `/http/tls/key` for example, and what to do.
 */
export function loadServerCertificate(settings: TlsSettings): LoadedCertificates['options'] {
  try {
    return loadCertificates(settings).options;
  } catch (error) {
    if (!(error instanceof ConfigInvalid) || error.pointer === undefined) throw error;
    const problem = error.message.slice(`${error.pointer}: `.length);
    throw new ConfigInvalid(`${problem}; ${ADVICE[error.pointer]}`, { pointer: `/http${error.pointer}`, cause: error });
  }
}

const certificateOf = ({ cert }: LoadedCertificates['options']): X509Certificate | undefined =>
  typeof cert === 'string' ? new X509Certificate(cert) : undefined;

const endOf = (options: LoadedCertificates['options']): Date | undefined => certificateOf(options)?.validToDate;
