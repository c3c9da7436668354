import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import whole from "./jest.config.js";

// Importing one of these means that a test starts a store or the service.
const starters = ["service", "postgres", "redis", "shared-stores", "session-stores"].map((name) =>
  join("test", "_harness", `${name}.ts`),
);
// These start programs by themselves.
const slow = ["compose", "contract-breaking", "embedded", "hashing-process", "programs"];

/** Every file that a test imports, by way of others too. */
function collectImports(file, found = new Set()) {
  const specifiers = readFileSync(join(import.meta.dirname, file), "utf8").matchAll(/from "(\.[^"]+\.ts)"/g);
  for (const [, specifier] of specifiers) {
    const path = normalize(join(dirname(file), specifier));
    if (found.has(path) || !existsSync(join(import.meta.dirname, path))) continue;
    found.add(path);
    collectImports(path, found);
  }
  return found;
}

const quick = globSync("test/**/*.test.ts", { cwd: import.meta.dirname }).filter((file) => {
  const imports = collectImports(file);
  return (
    !starters.some((path) => imports.has(path)) && !slow.some((name) => file.endsWith(`/${name}.test.ts`))
  );
});

/**
 * The tests that start no service and no store: `npm run test:fast` answers in seconds.
 *
 * @type {import("jest").Config}
 */
const { globalSetup: _, globalTeardown: __, ...rest } = whole;
export default { ...rest, testMatch: quick.map((file) => `<rootDir>/${file}`), testTimeout: 20_000 };
