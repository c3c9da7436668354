import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";

const repository = join(import.meta.dirname, "../..");

interface LockEntry {
  readonly resolved?: string;
  /** A package of this repository. */
  readonly link?: boolean;
  readonly integrity?: string;
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as {
  packages: Readonly<Record<string, LockEntry>>;
};
/** What is installed from a registry: neither the checkout itself nor its own packages. */
const entries = Object.entries(lock.packages).filter(
  ([key, { link = false }]) => key.includes("node_modules/") && !link,
);

describe("package-lock.json", () => {
  test("names no download address", () => {
    expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  test("lists the optional packages of every platform, without which npm ci refuses it", () => {
    const listed = new Set(entries.map(([key]) => key.replace(/^.*node_modules\//, "")));
    const wanted = entries.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
    expect(wanted.filter((name) => !listed.has(name))).toEqual([]);
  });

  test("pins the content of everything that Linux with glibc on x64 installs", () => {
    const isInstalled = ({ os = "linux", cpu = "x64", libc = ["glibc"] }: LockEntry): boolean =>
      os.includes("linux") && cpu.includes("x64") && libc.includes("glibc");
    const loose = entries.filter(([, entry]) => isInstalled(entry) && !entry.integrity);
    expect(loose.map(([key]) => key)).toEqual([]);
  });
});

test("no dependency runs a script while it is installed", () => {
  expect(readFileSync(join(repository, ".npmrc"), "utf8").split("\n")).toContain("ignore-scripts=true");
});
