// Makes every generated file of the repository, or checks that the committed ones are fresh.
// Usage: node scripts/generate.ts [--check]
// Exit codes: 0 done or fresh, 1 a generator failed, or a file is stale, missing or left over.
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

interface Generator {
  /** The files or folders that it makes, from the repository's root; nothing else writes there. */
  readonly makes: readonly string[];
  /** The command that makes all of them below a folder, which takes the place of the repository's root. */
  command(outRoot: string): readonly string[];
}

const demoModules = { version: "v2", modules: [{ path: "test/transcoding" }, { path: "third_party" }] };

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as {
  version: string;
};

const openapi = {
  version: "v2",
  inputs: [{ directory: "proto" }],
  plugins: [
    {
      local: ["node", "src/openapi/plugin.ts"],
      out: "src/gen",
      strategy: "all",
      opt: ["target=ts", `version=${version}`],
    },
  ],
};

const verifyOptions = {
  version: "v2",
  plugins: [
    {
      local: "protoc-gen-es",
      out: "packages/verify/src/gen",
      opt: ["target=ts", "import_extension=ts", "erasable_syntax=true"],
    },
  ],
};

const generators: readonly Generator[] = [
  { makes: ["src/gen"], command: (outRoot) => ["buf", "generate", "--output", outRoot] },
  {
    // After src/gen, which the first one clears and which the plugin reads the options' definitions from.
    makes: ["src/gen/openapi.json"],
    command: (outRoot) => ["buf", "generate", `--template=${JSON.stringify(openapi)}`, `--output=${outRoot}`],
  },
  {
    makes: ["test/transcoding/gen"],
    command: (outRoot) => [
      "buf",
      "generate",
      ".",
      "--template=test/transcoding/buf.gen.yaml",
      "--path=test/transcoding/demo.proto",
      `--config=${JSON.stringify(demoModules)}`,
      `--output=${outRoot}`,
    ],
  },
  {
    makes: ["packages/verify/src/gen"],
    command: (outRoot) => [
      "buf",
      "generate",
      "proto",
      `--template=${JSON.stringify(verifyOptions)}`,
      "--path=proto/countersign/v1/options.proto",
      `--output=${outRoot}`,
    ],
  },
  { makes: ["docs/errors.md"], command: (outRoot) => ["node", "scripts/document-errors.ts", outRoot] },
  { makes: ["docs/metrics.md"], command: (outRoot) => ["node", "scripts/document-metrics.ts", outRoot] },
  { makes: ["ARCHITECTURE.md"], command: (outRoot) => ["node", "scripts/document-layers.ts", outRoot] },
  {
    makes: ["docs/command-line.md"],
    command: (outRoot) => ["node", "scripts/document-commands.ts", outRoot],
  },
  {
    makes: ["docs/countersign.schema.json"],
    command: (outRoot) => ["node", "scripts/write-config-schema.ts", outRoot],
  },
  { makes: ["docs/config.md"], command: (outRoot) => ["node", "scripts/document-config.ts", outRoot] },
];

const root = join(import.meta.dirname, "..");

function generate(outRoot: string): void {
  const PATH = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  for (const generator of generators) {
    const [program, ...args] = generator.command(outRoot);
    const { status, error } = spawnSync(program ?? "", args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, PATH },
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed`);
  }
}

function listFiles(base: string, made: string): string[] {
  const target = join(base, made);
  if (!existsSync(target)) return [];
  if (statSync(target).isFile()) return [made];
  return globSync(`${made}/**/*`, { cwd: base }).filter((path) => statSync(join(base, path)).isFile());
}

/** @returns one line for each difference between the committed files and fresh ones */
function compare(fresh: string): string[] {
  const made = generators.flatMap((generator) => generator.makes);
  const expected = new Set(made.flatMap((one) => listFiles(fresh, one)));
  const present = new Set(made.flatMap((one) => listFiles(root, one)));
  const differences: string[] = [];
  for (const path of [...new Set([...expected, ...present])].toSorted()) {
    if (!present.has(path)) differences.push(`${path} is missing`);
    else if (!expected.has(path)) differences.push(`${path} is left over`);
    else if (!readFileSync(join(root, path)).equals(readFileSync(join(fresh, path)))) {
      differences.push(`${path} is stale`);
    }
  }
  if (expected.size === 0) differences.push("nothing was generated");
  return differences;
}

function check(): void {
  const fresh = mkdtempSync(join(tmpdir(), "generated-"));
  try {
    generate(fresh);
    const differences = compare(fresh);
    for (const line of differences) console.error(line);
    if (differences.length === 0) return;
    console.error("run: npm run generate");
    process.exitCode = 1;
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

if (process.argv.includes("--check")) check();
else generate(root);
