import { execFile } from "node:child_process";
import { access, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A certificate for localhost, 127.0.0.1 and the names below `example.test`, and its key, in files that can be swapped. */
export interface TestCertificates {
  readonly certFile: string;
  readonly keyFile: string;
  /** The certificate that is in place now (PEM). */
  current(): Promise<Buffer>;
  /** Puts a new pair in place, as a mounted secret is: by renaming. */
  swap(commonName: string): Promise<void>;
  /** Puts something in place that is no certificate. */
  spoil(): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Makes a self-signed certificate with the openssl program, which Node has nothing to make one with.
 *
 * @throws Error saying what to install
 */
export async function makeCertificates(commonName: string): Promise<TestCertificates> {
  await requireOpenssl();
  const folder = await mkdtemp(join(tmpdir(), "countersign-test-tls-"));
  const certFile = join(folder, "tls.crt");
  const keyFile = join(folder, "tls.key");
  const put = async (name: string): Promise<void> => {
    const [cert, key] = [join(folder, "new.crt"), join(folder, "new.key")];
    await issue(name, cert, key);
    await rename(key, keyFile);
    await rename(cert, certFile);
  };
  await put(commonName);
  return {
    certFile,
    keyFile,
    current: () => readFile(certFile),
    swap: put,
    async spoil() {
      await writeFile(
        join(folder, "bad.crt"),
        "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n",
      );
      await rename(join(folder, "bad.crt"), certFile);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function issue(commonName: string, certFile: string, keyFile: string): Promise<void> {
  const subject = [
    "-subj",
    `/CN=${commonName}`,
    "-addext",
    "subjectAltName=DNS:localhost,DNS:*.example.test,IP:127.0.0.1",
  ];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyFile];
  await run("openssl", ["req", "-x509", ...key, ...subject, "-days", "2", "-out", certFile]);
}

async function requireOpenssl(): Promise<void> {
  if (await isInstalled("openssl")) return;
  if (process.geteuid?.() === 0 && (await isInstalled("apt-get"))) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    // Others may install at the same time: wait for them.
    const options = ["-q", "-o", "DPkg::Lock::Timeout=120"];
    const install = (): Promise<unknown> =>
      run("apt-get", [...options, "install", "-y", "--no-install-recommends", "openssl"], { env });
    await install().catch(() => run("apt-get", [...options, "update"], { env }).then(install));
  }
  if (!(await isInstalled("openssl"))) {
    throw new Error("The TLS tests need the openssl program: install openssl.");
  }
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const found = await access(join(folder, program)).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
