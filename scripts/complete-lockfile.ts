// Adds to package-lock.json the optional packages of other platforms that npm left out of it.
//
// A package with a native part names one optional package for each platform. npm drops from the lock those
// that the registry in use does not serve, and `npm ci` then refuses the lock with a registry that does.
// Versions are pinned by the package that names them; the platform is read from the name. Such an entry
// carries no integrity hash. Run it after `npm install`; it changes nothing if nothing is missing.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface LockEntry {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Platform {
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc: readonly string[] | null;
}

interface Lockfile {
  packages: Record<string, LockEntry>;
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "openharmony", "sunos", "win32"];
const processors = ["arm", "arm64", "armv7", "ia32", "loong64", "ppc64", "riscv64", "s390x", "x64"];

/** @throws Error if the name contains no known platform */
function platformOf(name: string): Platform {
  const words = name.split(/[-/]/);
  const system = systems.find((one) => words.includes(one));
  const processor = processors.find((one) => words.includes(one));
  if (!system || !processor) throw new Error(`${name} names no known platform`);
  const libc = words.includes("musl")
    ? "musl"
    : words.some((word) => /^g(nu|libc)$/.test(word))
      ? "glibc"
      : null;
  const cpu = processor === "armv7" ? "arm" : processor;
  return { os: [system], cpu: [cpu], libc: libc ? [libc] : null };
}

/** The folders that Node searches from a package's own, as keys of the lock, the nearest first. */
function searchFolders(key: string): string[] {
  const folders = [key === "" ? "node_modules" : `${key}/node_modules`];
  for (let at = key.lastIndexOf("node_modules/"); at >= 0; at = key.lastIndexOf("node_modules/", at - 1)) {
    folders.push(key.slice(0, at + "node_modules".length));
    if (at === 0) break;
  }
  return folders;
}

function complete(lock: Lockfile): string[] {
  const added: string[] = [];
  for (const [key, entry] of Object.entries(lock.packages)) {
    const names = Object.keys(entry.optionalDependencies ?? {});
    const folders = searchFolders(key);
    const locate = (name: string) => folders.find((folder) => `${folder}/${name}` in lock.packages);
    const sibling = names.map(locate).find((folder) => folder !== undefined);
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (locate(name) || !/^\d+\.\d+\.\d+/.test(version)) continue;
      const place = `${sibling ?? "node_modules"}/${name}`;
      const { os, cpu, libc } = platformOf(name);
      // The order in which npm writes them, so that its next run changes nothing.
      lock.packages[place] = {
        version,
        cpu,
        ...(entry.dev ? { dev: true } : {}),
        ...(libc ? { libc } : {}),
        optional: true,
        os,
      };
      added.push(place);
    }
  }
  return added;
}

const path = join(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8")) as Lockfile;
const added = complete(lock);
if (added.length > 0) {
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, "en")),
  );
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
}
console.log(`${added.length} added`);
