import { describe, expect, test } from "@jest/globals";
import { examineConfig } from "../../src/config/config.ts";

const production = {
  SECRET_KEY: "91c0b6a3f25d7e8449a1d3c07be5f682",
  ISSUER: "https://id.example.com",
};

describe("white space around a value", () => {
  // What env files, shells and Secrets of Kubernetes put there: \u00a0 comes from a page, \ufeff from an editor.
  test.each(["\n", "\r\n", " ", "\t", "\u00a0", "\ufeff", "\u200b"])(
    "such as %j changes nothing",
    (space) => {
      const plain = {
        ...production,
        PORT: "81",
        NODE_ENV: "production",
        DATABASE_URL: "postgres://anna:secret@db/x",
        REDIS_URL: "redis://r/1",
        DATA_DIR: "/data",
        LOG_LEVEL: "warn",
        CORS_ORIGINS: "https://a.example",
        BOOTSTRAP_USERNAME: "anna",
      };
      const padded = Object.fromEntries(
        Object.entries(plain).map(([name, value]) => [name, space + value + space]),
      );
      const { config, problems } = examineConfig(padded);
      expect(problems).toEqual([]);
      expect(config).toEqual(examineConfig(plain).config);
    },
  );

  test("is no value by itself, and no unset one either: it would start an embedded database", () => {
    expect(examineConfig({ ...production, DATABASE_URL: " \n" }).problems).toEqual([
      "DATABASE_URL holds nothing but white space.",
    ]);
  });

  test("of a password that comes from a line of a file is no part of it", () => {
    expect(examineConfig({ BOOTSTRAP_PASSWORD: "correct horse\r\n" }).config.bootstrap.password).toBe(
      "correct horse",
    );
  });
});

describe("a name that is close to a known one", () => {
  test.each([
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["DATABASE_URI", "DATABASE_URL"],
    ["DATBASE_URL", "DATABASE_URL"],
    ["SECRET_KEYS", "SECRET_KEY"],
    ["SERCET_KEY", "SECRET_KEY"],
    ["SECRET_KEY_FIEL", "SECRET_KEY_FILE"],
    ["REDISURL", "REDIS_URL"],
    ["TRUSTED_PROXY", "TRUSTED_PROXIES"],
    ["Issuer", "ISSUER"],
    ["COUNTERSIGN_LOG_LEVEL", "LOG_LEVEL"],
    ["ISSUER_FILE", "ISSUER"],
    ["ARGON2_MEMORY", "ARGON2_MEMORY_KIB"],
  ])("%s is reported, as meant for %s", (name, meant) => {
    expect(examineConfig({ [name]: "x" }).oddNames).toEqual([{ name, meant }]);
  });

  test("with a prefix that only Countersign uses is reported, however far it is from each name", () => {
    expect(examineConfig({ THROTTLE_LOGIN_IP: "x" }).oddNames).toEqual([
      { name: "THROTTLE_LOGIN_IP", meant: expect.stringMatching(/^THROTTLE_/) },
    ]);
  });

  test("is not found among what others use", () => {
    const others = {
      ...Object.fromEntries(
        "HOME PATH USER PWD OLDPWD SHELL LANG TERM TZ HOSTNAME LOGNAME MAIL DISPLAY EDITOR PAGER SHLVL LC_ALL SSH_TTY SESSION_MANAGER POSTGRES_PASSWORD POSTGRES_PORT REDIS_PORT REDIS_HOST PGHOST PGPORT NODE_OPTIONS NODE_PATH npm_config_port npm_package_name INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET KUBERNETES_SERVICE_HOST KUBERNETES_PORT COUNTERSIGN_SERVICE_HOST COUNTERSIGN_SERVICE_PORT OTEL_SERVICE_NAME POD_NAME APP_PORT DB_URL"
          .split(" ")
          .map((name) => [name, "x"]),
      ),
      COUNTERSIGN_PORT: "tcp://10.0.0.7:8080",
    };
    expect(examineConfig(others).oddNames).toEqual([]);
  });
});
