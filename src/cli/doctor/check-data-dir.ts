import { access, constants, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Config } from "../../config/config.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";

const name = "DATA_DIR";
const mebibyte = 1_048_576;
/** A new cluster takes about 40 MiB, and its log of changes up to 256 MiB more. */
const freeMinMib = 100;
const freeGoodMib = 1_024;

/** Where the embedded database, the secret key and the first password are kept. */
export const checkDataDir: Check = {
  name,
  needs: ["DATA_DIR"],
  run: async ({ config }) => {
    const found = await stat(config.dataDir).catch(ignoreMissing);
    if (found === null) return [await checkParent(config)];
    if (!found.isDirectory()) {
      return [fail(name, `${config.dataDir} is not a folder`, "set DATA_DIR to a folder")];
    }
    const findings = [
      await checkWritable(config, config.dataDir),
      checkOwner(config, found),
      await checkSpace(config),
    ];
    return [...findings, ...(await checkFiles(config))].filter((finding) => finding !== null);
  },
};

async function checkParent(config: Config): Promise<Finding> {
  let parent = dirname(config.dataDir);
  while ((await stat(parent).catch(ignoreMissing)) === null) parent = dirname(parent);
  const writable = await checkWritable(config, parent);
  return writable.status === "ok"
    ? ok(name, `${config.dataDir} does not exist yet: the first start makes it`)
    : writable;
}

/** With DATABASE_URL set, the service writes only the first user's password here, if none is given. */
async function checkWritable(config: Config, folder: string): Promise<Finding> {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return ok(name, `${folder} can be written to`);
  } catch {
    const found = `${folder} cannot be written to`;
    if (config.database.url === null) {
      return fail(name, found, "let the service's user own it, or set DATA_DIR");
    }
    if (config.bootstrap.password !== null) return ok(name, `${found}, which is not needed`);
    return warn(name, found, "set BOOTSTRAP_PASSWORD for the first start, or let the service's user own it");
  }
}

function checkOwner(config: Config, { uid, mode }: { uid: number; mode: number }): Finding | null {
  const own = process.geteuid?.();
  if (own !== undefined && uid !== own) {
    return warn(
      name,
      `${config.dataDir} belongs to the user ${uid}, but this user is ${own}`,
      `chown it to ${own}`,
    );
  }
  if ((mode & 0o022) !== 0) {
    return warn(name, `${config.dataDir} can be written to by others`, `chmod go-w ${config.dataDir}`);
  }
  return null;
}

async function checkSpace(config: Config): Promise<Finding | null> {
  const { bavail, bsize } = await statfs(config.dataDir);
  const freeMib = Math.floor((bavail * bsize) / mebibyte);
  if (config.database.url !== null || freeMib >= freeGoodMib) return null;
  const found = `${freeMib} MiB are free in ${config.dataDir}`;
  return freeMib < freeMinMib
    ? fail(name, found, "make room")
    : warn(name, found, "free some space before it fills");
}

async function checkFiles(config: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const file of ["secret-key", "bootstrap-password"]) {
    const path = join(config.dataDir, file);
    const found = await stat(path).catch(ignoreMissing);
    if (found !== null && (found.mode & 0o077) !== 0) {
      findings.push(warn(name, `${path} can be read by others`, `chmod 600 ${path}`));
    }
    if (found !== null && file === "bootstrap-password") {
      const mend = "sign in, change the password and delete the file";
      findings.push(warn(name, `${path} still holds the first user's password`, mend));
    }
  }
  return findings;
}

function ignoreMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "EACCES") return null;
  throw error;
}
