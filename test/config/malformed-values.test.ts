import { describe, expect, test } from "@jest/globals";
import { examineConfig } from "../../src/config/config.ts";
import { listVariables } from "../../src/config/variables.ts";
import { limitNames } from "../_harness/throttles.ts";

const secret = "91c0b6a3f25d7e8449a1d3c07be5f682";
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
const workers = "must be a whole number from 1 to 64, or auto.";
const onOff = "must be on or off.";
const address = "must be an IP address (IPv6 without brackets) or a host name.";
const audience =
  "must be at most 255 bytes long in JSON, and not begin or end with white space, nor hold control characters.";
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
const scopes = "must be scope names, separated by single spaces, of at most 1024 characters in all.";
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
  ["DATABASE_PREPARE", "yes", "must be one of auto, on, off."],
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
  ...["0", "65", "1.5", "AUTO", "all"].map((value) => ["WORKERS", value, workers]),
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
