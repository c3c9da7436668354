import { describe, expect, test } from "@jest/globals";
import { parseDatabaseUrl } from "../../src/postgres/connection-string.ts";

describe("a database's address is read as libpq reads it", () => {
  test.each([
    {
      url: "postgres://ann:s%40cret@db.example:6000/app",
      expected: {
        hosts: [{ host: "db.example", port: 6000 }],
        user: "ann",
        password: "s@cret",
        database: "app",
      },
    },
    {
      url: "postgresql://ann@h1:5433,h2,[::1]:5434/app?target_session_attrs=any",
      expected: {
        hosts: [
          { host: "h1", port: 5433 },
          { host: "h2", port: 5432 },
          { host: "::1", port: 5434 },
        ],
        password: null,
        targetSessionAttrs: "any",
      },
    },
    {
      url: "postgres://ann@/app?host=h1,h2&port=6001,6002",
      expected: {
        hosts: [
          { host: "h1", port: 6001 },
          { host: "h2", port: 6002 },
        ],
      },
    },
    {
      url: "postgres://ann@/app?host=h1,h2&port=6001",
      expected: {
        hosts: [
          { host: "h1", port: 6001 },
          { host: "h2", port: 6001 },
        ],
      },
    },
    {
      url: "postgres://ann@%2Fvar%2Frun%2Fpg/app",
      expected: { hosts: [{ host: "/var/run/pg", port: 5432 }] },
    },
    {
      url: "postgres://ann@/app?host=/var/run/pg",
      expected: { hosts: [{ host: "/var/run/pg", port: 5432 }] },
    },
    { url: "postgres://ann:a@b@h/app", expected: { password: "a@b", hosts: [{ host: "h", port: 5432 }] } },
    { url: "postgres://ann@h", expected: { database: "ann" } },
    {
      url: "postgres://h?user=ann&password=x%3Dy&dbname=app&application_name=own&connect_timeout=3&options=-c%20jit%3Doff",
      expected: {
        hosts: [{ host: "h", port: 5432 }],
        user: "ann",
        password: "x=y",
        database: "app",
        applicationName: "own",
        connectTimeoutMs: 3000,
        serverOptions: "-c jit=off",
      },
    },
    {
      url: "postgres://ann@h/app",
      expected: {
        applicationName: "countersign",
        targetSessionAttrs: "read-write",
        connectTimeoutMs: null,
        tls: { mode: "prefer", rootCertFile: null, certFile: null, keyFile: null },
      },
    },
    { url: "postgres://ann@h/app?sslmode=require", expected: { tls: { mode: "require" } } },
    {
      url: "postgres://ann@h/app?sslmode=require&sslrootcert=/ca.pem",
      expected: { tls: { mode: "verify-ca", rootCertFile: "/ca.pem" } },
    },
    {
      url: "postgres://ann@h/app?sslmode=verify-full&sslrootcert=system",
      expected: { tls: { mode: "verify-full", rootCertFile: null } },
    },
  ])("$url", ({ url, expected }) => {
    expect(parseDatabaseUrl(url)).toMatchObject(expected);
  });
});

describe("an address that cannot be read is refused with a sentence that shows nothing of it", () => {
  test.each([
    { url: "mysql://ann:hunter2@h/app", message: "does not begin with postgres://" },
    { url: "ann:hunter2@h/app", message: "does not begin with postgres://" },
    { url: "", message: "does not begin with postgres://" },
    { url: "postgres://ann:hunter2@h:0/app", message: "a port that is not a number" },
    { url: "postgres://ann:hunter2@h:65536/app", message: "a port that is not a number" },
    { url: "postgres://ann:hunter2@h:80abc/app", message: "a port that is not a number" },
    { url: "postgres://ann:hunter2/x@h/app", message: "a port that is not a number" },
    { url: "postgres://ann:hunter2?x@h/app", message: "not of the form name=value" },
    {
      url: "postgres://ann:hunter2@h1,h2/app?port=1,2,3",
      message: "a different number of ports than of hosts",
    },
    { url: "postgres://ann:hunter2@::1/app", message: "write an IPv6 address in brackets" },
    { url: "postgres://ann:hunter2%zz@h/app", message: "a password with a wrong percent-encoding" },
    { url: "postgres://ann:hunter2%00@h/app", message: "a password with a wrong percent-encoding" },
    { url: "postgres://ann:hunter2@h/app?hunter2=1", message: "an unknown parameter" },
    { url: "postgres://ann:hunter2@h/app?port=1&port=2", message: "the parameter port twice" },
    { url: "postgres://ann:hunter2@h/app?sslmode=hunter2", message: "a wrong sslmode" },
    {
      url: "postgres://ann:hunter2@h/app?target_session_attrs=hunter2",
      message: "a wrong target_session_attrs",
    },
    { url: "postgres://ann:hunter2@h/app?connect_timeout=hunter2", message: "a connect_timeout that is not" },
    { url: "postgres://ann:hunter2@h/app?channel_binding=require", message: "channel_binding=require" },
  ])("$url", ({ url, message }) => {
    let thrown: unknown;
    try {
      parseDatabaseUrl(url);
    } catch (error) {
      thrown = error;
    }
    expect(String(thrown)).toContain(message);
    expect(String(thrown)).not.toContain("hunter2");
  });
});
