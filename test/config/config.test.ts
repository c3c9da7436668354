import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ConfigError } from "../../src/config/config-error.ts";
import { type ExaminedConfig, examineConfig } from "../../src/config/config.ts";
import { listVariables } from "../../src/config/variables.ts";
import { examineStart, readConfig } from "../../src/start/read-config.ts";
import { limitNames } from "../_harness/throttles.ts";

const secret = "91c0b6a3f25d7e8449a1d3c07be5f682";
const other = "2d8f17e0b94c6a35d1709fb3e84c52a6";
const production = { SECRET_KEY: secret, ISSUER: "https://id.example.com" };

const port = "must be a whole number from 0 to 65535.";
const timeout = "must be a duration with its unit (ms, s, m, h, d), from 100ms to 10m.";
const delay = "must be a duration with its unit (ms, s, m, h, d), from 0s to 10m.";
const tokenTtl = "must be a duration with its unit (ms, s, m, h, d), from 10s to 1d.";
const sessionTtl = "must be a duration with its unit (ms, s, m, h, d), from 1m to 3650d.";
const trimmed = "must not hold control characters.";
const secrets =
  "must hold one or more different secrets of at least 32 random characters each (openssl rand -hex 32), separated by commas.";
const rate =
  "must be a rate such as 60/1m or 60/1m burst 10 (counts from 1 to 1000000, a period from 1s to 30d), or off.";
const onOff = "must be on or off.";
const address = "must be an IP address (IPv6 without brackets) or a host name.";
const audience =
  "must be at most 255 bytes long, and not begin or end with white space, nor hold control characters.";
const issuer =
  "must be an http:// or https:// URL of at most 255 characters, without credentials, query and fragment.";
const redis =
  "must be a redis://, redis+sentinel:// or redis+cluster:// URL (rediss for TLS) of the documented form.";
const base = "must be empty, or begin with a slash and not end with one.";
const retention = "must be forever, or a duration with its unit (ms, s, m, h, d), from 1d to 36500d.";
const modeHeader =
  "must be the name of a header field that browsers neither send by themselves nor let pages send without a preflight.";
const origins =
  "must be origins such as https://app.example.com or capacitor://localhost, without a path and a slash at the end, separated by commas; or *.";
const scopes = "must be scope names, separated by single spaces.";
const cidrs = "must be addresses or CIDR ranges, separated by commas.";
const paths = (names: readonly string[], sentence: string) => names.map((name) => [name, "x\ty", sentence]);

const bad: readonly (readonly string[])[] = [
  ...["80abc", "-1", "65536", "1e3", "8 0", "0x50", "8.5"].map((value) => ["PORT", value, port]),
  ["OPS_PORT", "65536", port],
  ...["[::1]", "a b", "-x", "host/", "host:80"].map((value) => ["HOST", value, address]),
  ["OPS_HOST", "[::1]", address],
  ...["CONNECTIONS_MAX", "REQUESTS_MAX", "STREAMS_MAX"].map((name) => [
    name,
    "15",
    "must be a whole number from 16 to 1000000.",
  ]),
  ["STREAM_AGE_MAX", "2d", "must be a duration with its unit (ms, s, m, h, d), from 1s to 1d."],
  ["STREAM_IDLE_TIMEOUT", "0s", timeout],
  ["DATABASE_URL", "mysql://db", "must begin with postgres:// or postgresql://."],
  ["DATABASE_POOL_MAX", "0", "must be a whole number from 1 to 100."],
  ...["5", "5 s", "99ms", "11m", "s", "5S", "-5s"].map((value) => ["DATABASE_TIMEOUT", value, timeout]),
  ...paths(["DATA_DIR", "BOOTSTRAP_USERNAME"], trimmed),
  ...paths(["AUDIENCE"], audience),
  ["AUDIENCE", "é".repeat(128), audience],
  ["ISSUER", `https://${"x".repeat(248)}`, issuer],
  ["DATA_DIR", "a\nb", trimmed],
  ...["http://x", "redis://h:80abc", "redis:// x"].map((value) => ["REDIS_URL", value, redis]),
  ["REDIS_CA_FILE", "ca\n.pem", trimmed],
  ["REDIS_KEY_PREFIX", "a{b}", "must be at most 64 printable ASCII characters, without braces."],
  ["REDIS_TIMEOUT", "1ms", "must be a duration with its unit (ms, s, m, h, d), from 10ms to 10s."],
  ...[
    "example.com",
    "HTTPS://id.example.com",
    "https:id.example.com",
    "https:// id.example.com",
    "https://id.example.com\n/x",
    "https://anna@id.example.com",
    "https://id.example.com?",
    "https://id.example.com/#",
    "https://id.example.com\\x",
    "ftp://id.example.com",
    "https://",
  ].map((value) => ["ISSUER", value, issuer]),
  ...["short", `${secret},`, `${secret},${secret}`, `${secret},short`].map((value) => [
    "SECRET_KEY",
    value,
    secrets,
  ]),
  ["PASSWORD_PEPPER", "short", secrets],
  ...["9s", "25h", "900"].map((value) => ["ACCESS_TOKEN_TTL", value, tokenTtl]),
  ["SESSION_IDLE_TTL", "59s", sessionTtl],
  ["SESSION_MAX_TTL", "3651d", sessionTtl],
  ["REFRESH_GRACE", "11m", "must be a duration with its unit (ms, s, m, h, d), from 0s to 10m."],
  ["REFRESH_GRACE_BINDING", "on", "must be one of off, address."],
  ["REFRESH_LATE_ANSWER", "yes", onOff],
  ["MAX_SESSIONS_PER_USER", "0", "must be a whole number from 1 to 10000."],
  ["SIGNING_KEY_LIFETIME", "59m", "must be a duration with its unit (ms, s, m, h, d), from 1h to 3650d."],
  ["SIGNING_ALGORITHM", "HS256", "must be one of ES256, EdDSA, RS256, PS256."],
  ["BUILTIN_CLIENT", "true", onOff],
  ...["a  b", 'a"b', "a\\b", "ä"].map((value) => ["BUILTIN_CLIENT_SCOPES", value, scopes]),
  ["ARGON2_MEMORY_KIB", "7", "must be a whole number from 8 to 1048576."],
  ["ARGON2_ITERATIONS", "65", "must be a whole number from 1 to 64."],
  ["ARGON2_PARALLELISM", "17", "must be a whole number from 1 to 16."],
  ["HASH_CONCURRENCY", "0", "must be a whole number from 1 to 256."],
  ["HASH_NICENESS", "20", "must be a whole number from 0 to 19."],
  ["HASH_QUEUE_MAX", "10001", "must be a whole number from 0 to 10000."],
  ...["10.0.0.0/33", "proxy", "10.0.0.1,", "::1/129", "10.0.0.0/8/8"].map((value) => [
    "TRUSTED_PROXIES",
    value,
    cidrs,
  ]),
  ...["api", "/", "/api/", "/a//b", "/a b", "/..", "/a/./b"].map((value) => ["BASE_PATH", value, base]),
  ["DEVICE_TOKEN_TTL", "366d", "must be a duration with its unit (ms, s, m, h, d), from 1m to 365d."],
  ...limitNames.flatMap((name) => [
    [name, "60", rate],
    [name, "60/1m burst 0", rate],
    [name, "on", rate],
  ]),
  ["THROTTLE_REDIS_URL", "http://x", redis],
  ["REFLECTION", "yes", onOff],
  ["REFERENCE_PAGE", "yes", onOff],
  ...["HASH_WAIT_MAX", "REQUEST_TIMEOUT", "HEADER_TIMEOUT", "BODY_TIMEOUT", "DRAIN_TIMEOUT"].map((name) => [
    name,
    "0s",
    timeout,
  ]),
  ["DRAIN_DELAY", "11m", delay],
  ...["0d", "1h", "FOREVER", "9999999d"].map((value) => ["AUDIT_RETENTION", value, retention]),
  ["BUILD_COMMIT", "v1.2", "must be a commit's id: 7 to 64 hexadecimal digits in lower case."],
  ...[
    "https://a.example/",
    "a.example",
    "https://a.example,",
    "null",
    "HTTPS://a.example",
    "htps://a.example",
    "https://a.example:443",
    "file://",
    "file://a.example",
    "ws://a.example",
    "data:text/html,x",
    "capacitor://",
    "capacitor:localhost",
    "capacitor://localhost/",
    "capacitor://localhost/index.html",
    "Capacitor://localhost",
    "capacitor://*",
    "capacitor://local host",
  ].map((value) => ["CORS_ORIGINS", value, origins]),
  ["AUTH_COOKIES", "true", onOff],
  ...[
    "X Auth",
    "Accept-Language",
    "content-type",
    "Sec-Fetch-Mode",
    "Cookie",
    "Origin",
    "x-requested-with",
  ].map((value) => ["AUTH_MODE_HEADER", value, modeHeader]),
  ["LOG_LEVEL", "INFO", "must be one of debug, info, warn, error, silent."],
  ["BOOTSTRAP_PASSWORD", "two\nlines", "must not hold a line break, which nobody could type."],
  ["BUILD_COMMIT", "main", "must be a commit's id: 7 to 64 hexadecimal digits in lower case."],
];

function problemsOf(env: Record<string, string>): readonly string[] {
  return examineConfig(env).problems;
}

describe("a malformed value", () => {
  test.each(bad)("%s=%j is refused with a sentence", (name = "", value = "", sentence = "") => {
    const env = { ...production, [name]: value };
    expect(problemsOf(env)).toEqual([`${name} ${sentence}`]);
  });

  test("of TLS_CERT_FILE and of TLS_KEY_FILE is refused with a sentence", () => {
    expect(problemsOf({ TLS_CERT_FILE: "a\nb", TLS_KEY_FILE: "b\tc" })).toEqual([
      `TLS_CERT_FILE ${trimmed}`,
      `TLS_KEY_FILE ${trimmed}`,
    ]);
  });

  test("is looked for in every variable that can be malformed", () => {
    const free = ["NODE_ENV", "TLS_CERT_FILE", "TLS_KEY_FILE"];
    const named = new Set(bad.map(([name]) => name));
    expect(listVariables().filter(({ name }) => !named.has(name) && !free.includes(name))).toEqual([]);
  });

  test("is never repeated, since it may be a secret", () => {
    const problems = problemsOf(Object.fromEntries(listVariables().map(({ name }) => [name, " hunter2 "])));
    expect(problems.length).toBeGreaterThan(30);
    expect(problems.join()).not.toContain("hunter2");
  });
});

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
