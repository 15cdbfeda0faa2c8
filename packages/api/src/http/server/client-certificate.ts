import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** The certificate of a client, verified by `http.tls.ca`. */
export interface ClientCertificate {
  /** Its subject alternative names in their order: kind as OpenSSL writes it (`DNS`, `URI`, `email`, `IP Address`) and value. */
  readonly names: readonly { readonly kind: string; readonly value: string }[];
  /** SHA-256 of the certificate in hexadecimal. */
  readonly fingerprint: string;
  /** End of its validity. */
  readonly validTo: Date;
}

/**
 * The verified certificate of whoever is at the other end of a socket, of a request or of an upgrade; undefined without TLS, without a
 * certificate, and for one that was not signed by `http.tls.ca` or is not valid at the handshake. The one place where an
 * identity may be taken from: never the common name (RFC 6125 section 2.3).
 */
export function clientCertificate(socket: Socket): ClientCertificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  return {
    names: namesIn(certificate.subjectAltName ?? ''),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validTo: certificate.validToDate,
  };
}

/** `URI:urn:a, DNS:"b, c"`: values with a comma or a quote are JSON strings. */
const NAME = /([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

function namesIn(text: string): ClientCertificate['names'] {
  return [...text.matchAll(NAME)].map(([, kind = '', value = '']) => ({
    kind,
    value: value.startsWith('"') ? String(JSON.parse(value)) : value,
  }));
}
