import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Config } from "../../config/config.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";

const name = "TLS";
const dayMs = 86_400_000;
const daysGood = 14;

/** The certificate and its key. */
export const checkTls: Check = {
  name,
  needs: ["TLS_CERT_FILE", "TLS_KEY_FILE"],
  run: async ({ config }) => {
    if (config.tls === null) return [ok(name, "the public port speaks plain text")];
    const certificate = await read("TLS_CERT_FILE", config.tls.certFile, (text) => new X509Certificate(text));
    const key = await read("TLS_KEY_FILE", config.tls.keyFile, (text) => createPrivateKey(text));
    if ("status" in certificate) return "status" in key ? [certificate, key] : [certificate];
    if ("status" in key) return [key];
    return judge(certificate, key, config);
  },
};

async function read<T extends X509Certificate | KeyObject>(
  variable: string,
  path: string,
  parse: (text: Buffer) => T,
): Promise<T | Finding> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    const code = Error.isError(error) && "code" in error ? String(error.code) : "unknown";
    return fail(
      name,
      `the file of ${variable} cannot be read (${code})`,
      `correct ${variable}, or the file's rights`,
    );
  }
  try {
    return parse(bytes);
  } catch {
    return fail(
      name,
      `the file of ${variable} is not a valid PEM file`,
      `give ${variable} a PEM file without a passphrase`,
    );
  }
}

function judge(certificate: X509Certificate, key: KeyObject, config: Config): Finding[] {
  if (!certificate.checkPrivateKey(key)) {
    return [
      fail(name, "the certificate and the key do not belong together", "give both files of one certificate"),
    ];
  }
  const findings = [judgeTime(certificate)];
  const { protocol, hostname } = new URL(config.issuer);
  if (protocol === "https:" && !isFor(certificate, hostname)) {
    const mend = "get one for that name; ignore this if a proxy presents the certificate for it";
    findings.push(warn(name, `the certificate is not for ${hostname}, the host of ISSUER`, mend));
  }
  return findings;
}

function isFor(certificate: X509Certificate, hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, "");
  return (isIP(address) === 0 ? certificate.checkHost(hostname) : certificate.checkIP(address)) !== undefined;
}

function judgeTime({ validFromDate, validToDate }: X509Certificate): Finding {
  const days = Math.floor((validToDate.getTime() - Date.now()) / dayMs);
  const until = validToDate.toISOString().slice(0, 10);
  if (validFromDate.getTime() > Date.now()) {
    const from = validFromDate.toISOString().slice(0, 10);
    return fail(name, `the certificate begins on ${from}`, "wait, or set this machine's clock");
  }
  if (days < 0) return fail(name, `the certificate ended on ${until}`, "renew it");
  if (days < daysGood) return warn(name, `the certificate ends on ${until}, in ${days} days`, "renew it");
  return ok(name, `the certificate is good until ${until}, in ${days} days`);
}
