import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

/** What the native part of the npm package `argon2` exports. */
export interface NativeArgon2 {
  hash(options: {
    readonly password: Buffer;
    readonly salt: Buffer;
    readonly secret: Buffer;
    readonly data: Buffer;
    readonly hashLength: number;
    readonly m: number;
    readonly t: number;
    readonly p: number;
    readonly version: number;
    readonly type: number;
  }): Promise<Buffer>;
}

/** A level of the x86-64 psABI, and the flags by which Linux shows it. */
interface Level {
  readonly name: string;
  readonly flags: readonly string[];
}

const levels: readonly Level[] = [
  { name: "x86-64-v4", flags: ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"] },
  { name: "x86-64-v3", flags: ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe"] },
];

/** Where `npm run build:argon2` puts what it builds for a level. */
export function builtArgon2Path(level: string): string {
  return join(import.meta.dirname, "..", "..", "build", `argon2-${level}.node`);
}

/** The highest level of this processor for which a build is worthwhile; null if there is none. */
export async function findProcessorLevel(): Promise<string | null> {
  if (process.arch !== "x64" || process.platform !== "linux") return null;
  const cpuinfo = await readFile("/proc/cpuinfo", "utf8");
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/));
  return levels.find((level) => level.flags.every((flag) => flags.has(flag)))?.name ?? null;
}

/**
 * Loads the build for this processor's level. A build for a higher level would crash the process.
 *
 * @throws if there is none
 */
export async function loadBuiltArgon2(): Promise<NativeArgon2> {
  const level = await findProcessorLevel();
  if (level === null) throw new Error("there is no build for this kind of processor");
  return createRequire(import.meta.url)(builtArgon2Path(level)) as NativeArgon2;
}
