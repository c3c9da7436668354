import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin, stop } from "esbuild";

const root = join(import.meta.dirname, "..", "..");

/** What has native code, looks beside itself, is loaded otherwise by a bundler, or is a test's too. */
const kept = ["@node-rs/*", "argon2", "pino", "@opentelemetry/api", "@zxcvbn-ts/*", "swagger-ui-dist"];

// Some packages are CommonJS and ask for Node's own modules.
const requireBanner = `import { createRequire as requireOf } from "node:module";
const require = requireOf(${JSON.stringify(join(root, "package.json"))});`;

/**
 * Joins the service's modules into few files. Loading its many hundred modules is most of the work of a start,
 * and a run of the tests starts it hundreds of times.
 *
 * @returns the file to start in place of src/main.ts, in a new folder that is the caller's to remove
 */
export async function bundleService(): Promise<string> {
  // Here, so that the packages that are not joined are found.
  const parent = join(root, "node_modules", ".cache");
  await mkdir(parent, { recursive: true });
  const outdir = await mkdtemp(join(parent, "countersign-test-"));
  await build({
    entryPoints: [join(root, "src", "main.ts")],
    outdir,
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node24",
    keepNames: true,
    external: kept,
    banner: { js: requireBanner },
    plugins: [stayInPlace],
    logLevel: "error",
  });
  // Its own process, which outlives a run that is killed.
  await stop();
  return join(outdir, "main.js");
}

/** A module finds what lies beside it where it was, not where the bundle is. */
const stayInPlace: Plugin = {
  name: "stay-in-place",
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      if (path.includes("/node_modules/")) return undefined;
      const text = await readFile(path, "utf8");
      const url = JSON.stringify(pathToFileURL(path).href);
      const contents = text
        .replaceAll(
          "import.meta.resolve(",
          `((file) => (file.startsWith(".") ? new URL(file, ${url}).href : import.meta.resolve(file)))(`,
        )
        .replaceAll("import.meta.url", url)
        .replaceAll("import.meta.dirname", JSON.stringify(dirname(path)));
      return { contents, loader: "ts" };
    });
  },
};
