import { constants, X509Certificate } from "node:crypto";
import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";

const pollMs = 5_000;

/** All of TLS 1.3, and of TLS 1.2 what RFC 9325 section 4.2 recommends: forward secrecy (ECDHE) and AEAD. */
const ciphers = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "TLS_AES_128_GCM_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Where the certificate is. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Called when the certificate changes. */
export interface TlsLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/**
 * Reads the certificate and its key.
 *
 * @throws if they cannot be read or do not belong together
 */
export function readTlsFiles(files: TlsFiles): SecureContextOptions & { readonly cert: Buffer } {
  const options = {
    cert: readFileSync(files.certFile),
    key: readFileSync(files.keyFile),
    minVersion: "TLSv1.2",
    ciphers,
    // RFC 9325 section 3.5, and RFC 9113 section 9.2.1. HTTP has no need of it.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  } as const;
  createSecureContext(options);
  return options;
}

/**
 * When a certificate ends; of a chain, the first of them that does.
 *
 * @param pem what TLS_CERT_FILE holds
 */
export function certificateEnd(pem: Buffer): Date {
  const blocks = pem.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  const ends = (blocks ?? []).map((block) => new X509Certificate(block).validToDate.getTime());
  return new Date(Math.min(...ends));
}

/**
 * Reports when the files have changed. They are polled, since mounted secrets are swapped by renaming
 * a folder above them. A pair that cannot be used is logged, and the old one stays.
 *
 * @returns what stops it
 */
export function watchTlsFiles(
  files: TlsFiles,
  log: TlsLog,
  onChange: (options: SecureContextOptions & { readonly cert: Buffer }) => void,
): () => void {
  const reload = (): void => {
    try {
      onChange(readTlsFiles(files));
      log.info({}, "the TLS certificate has changed; the new one is used");
    } catch (error) {
      log.error({ err: error }, "the new TLS certificate cannot be used; the old one stays in use");
    }
  };
  const paths = [files.certFile, files.keyFile];
  for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, reload);
  return () => {
    for (const path of paths) unwatchFile(path, reload);
  };
}
