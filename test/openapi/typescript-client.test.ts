import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { build } from "esbuild";
import { runTool } from "../_harness/run-tool.ts";
import { root, startService, type TestService } from "../_harness/service.ts";

// Two stock generators make clients of the document. Programs use them, written as by somebody who has never seen
// the service: they compile at the strictest, and live by tokens and by cookies.

let service: TestService;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-client-"));
  service = await startService();
  await writeFile(join(folder, "openapi.json"), await (await fetch(`${service.url}/openapi.json`)).text());
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
});

/** What each program exports. */
interface Program {
  /** Signs in, refreshes, reads the user and signs out, by the token. @returns the user, and why a last refresh fails */
  byToken(url: string, username: string, password: string): Promise<Life>;
  /** The same by cookies, with a body only where something is to be said. @param fetch keeps cookies */
  byCookie(url: string, username: string, password: string, fetch: Fetch): Promise<Life>;
  /** Signs in with what is wrong. @returns the reason */
  whyNot(url: string, username: string, password: string): Promise<string | undefined>;
}

interface Life {
  readonly user: unknown;
  readonly status: string;
  readonly afterwards: string | undefined;
}

type Fetch = (request: Request) => Promise<Response>;

const generators: readonly (readonly [name: string, args: readonly string[], program: string])[] = [
  ["openapi-ts", ["--input", "openapi.json", "--output", "hey-api", "--no-log-file"], "hey-api-program.ts"],
  ["openapi-typescript", ["openapi.json", "--output", "schema.ts"], "openapi-fetch-program.ts"],
];

describe.each(generators)("a client that %s makes", (name, args, programFile) => {
  test("compiles under strict TypeScript, and lives by tokens and by cookies", async () => {
    const older = { NODE_OPTIONS: `--import ${new URL("older-typescript.js", import.meta.url).href}` };
    const generated = await runTool(name, args, { cwd: folder, env: older });
    expect({ code: generated.code, failed: generated.code === 0 ? "" : generated.output }).toEqual({
      code: 0,
      failed: "",
    });
    const { byToken, byCookie, whyNot } = await compile(programFile);
    const { username, password } = service.admin;
    const life = {
      user: {
        id: expect.stringMatching(/^usr_/),
        username: "admin",
        email: null,
        is_active: true,
        status: "active",
        roles: ["admin"],
        created_at: expect.any(String),
        last_login_at: expect.any(String),
      },
      status: "may sign in",
      afterwards: "invalid_refresh_token",
    };
    expect(await byToken(service.url, username, password)).toEqual(life);
    expect(await byCookie(service.url, username, password, fetchWithCookies())).toEqual(life);
    expect(await whyNot(service.url, username, "wrong")).toBe("invalid_credentials");
  }, 180_000);
});

async function compile(programFile: string): Promise<Program> {
  const entry = join(folder, programFile);
  await writeFile(entry, await readFile(new URL(`${programFile}.txt`, import.meta.url)));
  const strict = [
    "--ignoreConfig",
    "--noEmit",
    "--strict",
    "--noUncheckedIndexedAccess",
    "--skipLibCheck",
    "--target",
    "es2024",
    "--module",
    "esnext",
  ];
  const types = ["--moduleResolution", "bundler", "--lib", "es2024,dom,dom.iterable", "--types", ""];
  expect(await runTool("tsc", [...strict, ...types, entry], { cwd: folder })).toEqual({
    code: 0,
    output: "",
  });
  const bundle = entry.replace(/ts$/, "mjs");
  await build({ entryPoints: [entry], outfile: bundle, bundle: true, format: "esm", logLevel: "silent" });
  return (await import(bundle)) as Program;
}

/** A fetch that keeps cookies, as a browser does for a page. */
function fetchWithCookies(): Fetch {
  const jar = new Map<string, string>();
  return async (request) => {
    const headers = new Headers(request.headers);
    if (jar.size > 0) headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const answer = await fetch(new Request(request, { headers }));
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]*)=([^;]*)/.exec(line) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    return answer;
  };
}
