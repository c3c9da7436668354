import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ConfigError } from "../../src/config/config-error.ts";
import { type ExaminedConfig, examineConfig } from "../../src/config/config.ts";
import { listVariables } from "../../src/config/variables.ts";
import { examineStart, readConfig } from "../../src/app/read-config.ts";

const secret = "91c0b6a3f25d7e8449a1d3c07be5f682";
const other = "2d8f17e0b94c6a35d1709fb3e84c52a6";
const production = { SECRET_KEY: secret, ISSUER: "https://id.example.com" };

const port = "must be a whole number from 0 to 65535.";
const secrets =
  "must hold one or more different secrets of at least 32 random characters each (openssl rand -hex 32), separated by commas.";

function problemsOf(env: Record<string, string>): readonly string[] {
  return examineConfig(env).problems;
}

test("origins may have the schemes of apps", () => {
  const list = [
    "https://app.example.com",
    "http://localhost:3000",
    "https://[::1]:8443",
    "capacitor://localhost",
    "ionic://localhost",
    "app://bundle",
    "app://.",
    "tauri://localhost",
    "chrome-extension://gcbommkclmclpchllfjekcdonpmejbdp",
    "com.example.app://localhost:8080",
  ];
  const { config, problems } = examineConfig({ CORS_ORIGINS: list.join(", ") });
  expect([problems, config.corsOrigins]).toEqual([[], list]);
});

describe("the limits", () => {
  test("are what they are by default, and are read by their own variables", () => {
    const { throttles, throttleRedis } = examineConfig({
      THROTTLE_LOGIN_ADDRESS: "5/1m burst 2",
      THROTTLE_REFRESH_CLIENT: "off",
      REDIS_URL: "redis://r",
    }).config;
    expect(throttles).toMatchObject({
      "login-address": { count: 5, periodMs: 60_000, burst: 2 },
      "refresh-client": null,
      "failures-account": { count: 50, periodMs: 3_600_000, burst: 50 },
      "failures-account-address": { count: 10, periodMs: 900_000, burst: 10 },
      "failures-address": { count: 200, periodMs: 3_600_000, burst: 200 },
    });
    expect(throttleRedis).toBeNull();
  });
});

describe("the environment", () => {
  test("that is empty is good, and gives every default", () => {
    const { config, problems, given } = examineConfig({});
    expect(problems).toEqual([]);
    expect(given.size).toBe(0);
    expect(config).toMatchObject({
      host: "0.0.0.0",
      port: 8080,
      opsPort: 9090,
      production: false,
      database: { url: null, poolMax: 4, timeoutMs: 5_000 },
      redis: null,
      dataDir: join(process.cwd(), ".countersign"),
      issuer: "http://localhost:8080",
      audience: "http://localhost:8080",
      secretKeys: null,
      passwordPeppers: [],
      bootstrap: { username: "admin", password: null },
      accessTokenTtlMs: 900_000,
      sessionIdleTtlMs: 30 * 86_400_000,
      sessionMaxTtlMs: 90 * 86_400_000,
      signingAlgorithm: "ES256",
      builtinClient: { enabled: true, scopes: [] },
      argon2: { memoryKib: 19_456, iterations: 2, parallelism: 1 },
      basePath: "",
      tls: null,
      reflection: true,
      referencePage: true,
      drainDelayMs: 0,
      logLevel: "info",
    });
  });

  test("an empty value counts as unset", () => {
    const empty = Object.fromEntries(
      listVariables().flatMap(({ name }) => [
        [name, ""],
        [`${name}_FILE`, ""],
      ]),
    );
    expect(examineConfig(empty)).toEqual(examineConfig({}));
  });

  test("is read as it is meant", () => {
    const { config, problems } = examineConfig({
      ...production,
      ISSUER: "https://id.example.com/tenant//",
      SECRET_KEY: `${secret} , ${other}`,
      AUDIENCE: "api",
      HOST: "::1",
      BASE_PATH: "/api/v1",
      BUILTIN_CLIENT_SCOPES: "read write",
      TRUSTED_PROXIES: "10.0.0.0/8, ::1",
      HASH_CONCURRENCY: "1",
      BOOTSTRAP_PASSWORD: " with spaces ",
      DRAIN_DELAY: "1m",
    });
    expect(problems).toEqual([]);
    expect(config).toMatchObject({
      issuer: "https://id.example.com/tenant",
      secretKeys: [secret, other],
      audience: "api",
      host: "::1",
      basePath: "/api/v1",
      builtinClient: { scopes: ["read", "write"] },
      hashing: { concurrency: 1, niceness: 19, queueMax: 128, waitMaxMs: 5_000 },
      bootstrap: { password: " with spaces " },
      drainDelayMs: 60_000,
    });
    expect(config.trustedProxies.check("10.1.2.3")).toBe(true);
    expect(config.trustedProxies.check("11.1.2.3")).toBe(false);
  });

  test("tells all its problems at once, those inside an address among them", () => {
    const env = {
      PORT: "x",
      LOG_LEVEL: "loud",
      DATABASE_URL: "postgres://anna:hunter2/x",
      TLS_KEY_FILE: "k",
    };
    const expected = [
      `PORT ${port}`,
      "LOG_LEVEL must be one of debug, info, warn, error, silent.",
      "SECRET_KEY is required in production (NODE_ENV=production, DATABASE_URL set, or an https ISSUER).",
      "ISSUER is required in production (NODE_ENV=production, DATABASE_URL set, or an https ISSUER).",
      "TLS_CERT_FILE and TLS_KEY_FILE must be set together.",
      "DATABASE_URL has a port that is not a number from 1 to 65535; a special character in the password must be percent-encoded.",
    ];
    expect(examineStart(env).problems).toEqual(expected);
    expect(() => readConfig(env)).toThrow(ConfigError);
    expect(() => readConfig(env)).toThrow(expected.map((problem) => `  - ${problem}`).join("\n"));
  });
});

describe("production", () => {
  test.each([
    ["NODE_ENV=production", { NODE_ENV: "production" }],
    ["a DATABASE_URL", { DATABASE_URL: "postgres://db/x" }],
    ["an https ISSUER", { ISSUER: "https://id.example.com" }],
  ])("%s requires SECRET_KEY and ISSUER", (_why, env) => {
    const { config, problems } = examineConfig(env);
    expect(config.production).toBe(true);
    expect(problems.map((problem) => problem.split(" ")[0])).toEqual(
      ["SECRET_KEY", "ISSUER"].filter((name) => !(name in env)),
    );
    expect(problemsOf({ ...production, ...env })).toEqual([]);
  });

  test.each([
    ["a letter over and over", "a".repeat(64)],
    ["two letters", "ab".repeat(32)],
    ["a word over and over", "changeme".repeat(8)],
    ["sixteen digits twice", "0123456789abcdef".repeat(2)],
    ["a good one beside it", `${secret},${"x".repeat(40)}`],
  ])("a SECRET_KEY that is not random is refused: %s", (_what, text) => {
    expect(problemsOf({ ...production, SECRET_KEY: text })).toEqual([`SECRET_KEY ${secrets}`]);
  });

  test("whatever openssl makes is taken as a SECRET_KEY", () => {
    const made = [
      ...Array.from({ length: 500 }, () => randomBytes(16).toString("hex")),
      ...Array.from({ length: 500 }, () => randomBytes(32).toString("base64")),
    ];
    expect(made.flatMap((text) => problemsOf({ ...production, SECRET_KEY: text }))).toEqual([]);
  });

  test("a malformed SECRET_KEY is one problem and not two", () => {
    expect(problemsOf({ ...production, SECRET_KEY: "short" })).toEqual([`SECRET_KEY ${secrets}`]);
  });
});

describe("variables that contradict each other", () => {
  test.each([
    [{ PORT: "0" }, "ISSUER is required with PORT=0."],
    [{ PORT: "9000", OPS_PORT: "9000" }, "PORT and OPS_PORT must differ."],
    [{ SESSION_IDLE_TTL: "91d" }, "SESSION_IDLE_TTL must not be longer than SESSION_MAX_TTL."],
    [
      { ARGON2_MEMORY_KIB: "31", ARGON2_PARALLELISM: "4" },
      "ARGON2_MEMORY_KIB must be at least eight times ARGON2_PARALLELISM.",
    ],
    [{ TLS_CERT_FILE: "cert.pem" }, "TLS_CERT_FILE and TLS_KEY_FILE must be set together."],
  ])("%j are refused with a sentence", (env, sentence) => {
    expect(problemsOf(env)).toEqual([sentence]);
  });

  test("free ports may be asked for twice", () => {
    expect(problemsOf({ PORT: "0", OPS_PORT: "0", ISSUER: "http://localhost" })).toEqual([]);
  });
});

describe("a secret in a file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "countersign-config-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function file(content: string | Buffer): Promise<string> {
    const path = join(folder, `secret-${Math.random()}`);
    await writeFile(path, content);
    return path;
  }

  test.each<[string, (config: ExaminedConfig["config"]) => unknown, string, unknown]>([
    ["SECRET_KEY", (config) => config.secretKeys, secret, [secret]],
    ["PASSWORD_PEPPER", (config) => config.passwordPeppers, secret, [secret]],
    ["DATABASE_URL", (config) => config.database.url, "postgres://db/x", "postgres://db/x"],
    ["REDIS_URL", (config) => config.redis?.target.hosts, "redis://r", [{ host: "r", port: 6379 }]],
    [
      "THROTTLE_REDIS_URL",
      (config) => config.throttleRedis?.target.hosts,
      "redis://r:1",
      [{ host: "r", port: 1 }],
    ],
    ["BOOTSTRAP_PASSWORD", (config) => config.bootstrap.password, " correct horse ", " correct horse "],
  ])("%s_FILE is read, less one line break at its end", async (name, read, content, expected) => {
    for (const end of ["", "\n", "\r\n"]) {
      const { config, problems } = examineConfig({
        ...(name === "SECRET_KEY" ? { ISSUER: production.ISSUER } : production),
        [`${name}_FILE`]: await file(content + end),
      });
      expect(problems).toEqual([]);
      expect(read(config)).toEqual(expected);
    }
  });

  test("of a password keeps white space around it, but no line break", async () => {
    const { config } = examineConfig({ BOOTSTRAP_PASSWORD_FILE: await file(" one line \n\r\n") });
    expect(config.bootstrap.password).toBe(" one line ");
    expect(problemsOf({ BOOTSTRAP_PASSWORD_FILE: await file("two\nlines\n") })).toEqual([
      "BOOTSTRAP_PASSWORD, from BOOTSTRAP_PASSWORD_FILE, must not hold a line break, which nobody could type.",
    ]);
  });

  test("can be had for exactly the variables that hold secrets", () => {
    const names = listVariables().flatMap(({ name, secret }) => (secret === true ? [name] : []));
    expect(names.toSorted()).toEqual(
      [
        "BOOTSTRAP_PASSWORD",
        "DATABASE_URL",
        "PASSWORD_PEPPER",
        "REDIS_URL",
        "SECRET_KEY",
        "THROTTLE_REDIS_URL",
      ].toSorted(),
    );
  });

  test("and in the variable as well is a problem, even if they are equal", async () => {
    const env = { ...production, SECRET_KEY_FILE: await file(secret) };
    expect(problemsOf(env)).toEqual(["SECRET_KEY and SECRET_KEY_FILE must not both be set."]);
  });

  test.each([
    ["that is not there", "nowhere", "cannot be read (ENOENT)"],
    ["that is a folder", ".", "cannot be read (EISDIR)"],
  ])("%s is a problem", (_what, path, sentence) => {
    expect(problemsOf({ SECRET_KEY_FILE: join(folder, path) })).toEqual([
      `SECRET_KEY_FILE names a file that ${sentence}.`,
    ]);
  });

  test.each<[string, string | Buffer, string]>([
    ["that is empty", "\n", "SECRET_KEY_FILE names a file that is empty."],
    ["that is not text", Buffer.of(0xff, 0xfe), "SECRET_KEY_FILE names a file that is not UTF-8 text."],
    ["whose content will not do", "short", `SECRET_KEY, from SECRET_KEY_FILE, ${secrets}`],
  ])("%s is a problem", async (_what, content, sentence) => {
    expect(problemsOf({ SECRET_KEY_FILE: await file(content) })).toEqual([sentence]);
  });

  test("that names the database makes a production start, whatever it holds", async () => {
    expect(problemsOf({ DATABASE_URL_FILE: await file("\n") })).toContain(
      "ISSUER is required in production (NODE_ENV=production, DATABASE_URL set, or an https ISSUER).",
    );
  });
});
