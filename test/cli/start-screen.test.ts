import { execFileSync } from "node:child_process";
import { describe, expect, test } from "@jest/globals";
import { shellQuote } from "../../src/cli/shell-quote.ts";
import { type ScreenConfig, startScreen } from "../../src/cli/start-screen.ts";

const config: ScreenConfig = {
  basePath: "",
  bootstrap: { username: "admin", password: null },
  database: { url: null },
  dataDir: "/srv/data",
  host: "0.0.0.0",
  opsHost: "127.0.0.1",
  referencePage: true,
  tls: null,
};
const service = { port: 8080, opsPort: 9090, bootstrap: null };

describe("the start screen", () => {
  test("of a first start tells where the service is, who can sign in, and how to try it", () => {
    const bootstrap = { username: "admin", password: "Abc123" };
    expect(startScreen(config, { ...service, bootstrap }, "1.2.3")).toBe(`
  Countersign 1.2.3 is ready.

    Service    http://localhost:8080   (REST, gRPC, gRPC-Web and Connect)
    Reference  http://localhost:8080/docs
    Health     http://localhost:9090/readyz
    Data       /srv/data

  The first user was made. The password is shown only this once:

    Username   admin
    Password   Abc123

  Sign in:

    curl -d username=admin -d password=Abc123 http://localhost:8080/auth/login

  More users:  npm run countersign -- user create NAME
  Ctrl-C stops the service.
`);
  });

  test("of a later start asks for the password that it does not know", () => {
    const screen = startScreen(config, service, "1.2.3");
    expect(screen).not.toContain("first user");
    expect(screen).toContain(
      "curl -d username=admin -d password=YOUR-PASSWORD http://localhost:8080/auth/login\n",
    );
  });

  test("shows neither a BOOTSTRAP_PASSWORD nor a DATABASE_URL", () => {
    const given = {
      ...config,
      bootstrap: { username: "admin", password: "hunter2" },
      database: { url: "postgres://anna:hunter2@db/x" },
    };
    const screen = startScreen(
      given,
      { ...service, bootstrap: { username: "admin", password: null } },
      "1.2.3",
    );
    expect(screen).not.toContain("hunter2");
    expect(screen).toContain("in the database that DATABASE_URL names");
    expect(screen).toContain("The first user, admin, was made with BOOTSTRAP_PASSWORD.");
  });

  test.each([
    ["0.0.0.0", "http://localhost:8080"],
    ["::", "http://localhost:8080"],
    ["::1", "http://localhost:8080"],
    ["10.1.2.3", "http://10.1.2.3:8080"],
    ["2001:db8::1", "http://[2001:db8::1]:8080"],
  ])("names the address that HOST=%s is reached at", (host, address) => {
    expect(startScreen({ ...config, host }, service, "1.2.3")).toContain(`Service    ${address}   (`);
  });

  test("knows TLS and the base path", () => {
    const screen = startScreen(
      { ...config, tls: { certFile: "", keyFile: "" }, basePath: "/api" },
      service,
      "1.2.3",
    );
    expect(screen).toContain(" https://localhost:8080/api/auth/login\n");
  });
});

describe("a quoted word", () => {
  test.each([
    "plain",
    "",
    "two words",
    "it's",
    "'''",
    '"$HOME" `id` $(id) \\ !! *?[x]{a,b}~ ; & | < > # %',
    "line\nbreak",
    "-d",
    "ünï\u{1f600}",
  ])("%j is read back by a shell as it was", (word) => {
    for (const shell of ["sh", "bash"]) {
      const output = execFileSync(shell, ["-c", `printf '<%s>' a ${shellQuote(word)} b`]).toString();
      expect(output).toBe(`<a><${word}><b>`);
    }
  });

  test("stays bare where it can", () => {
    expect(shellQuote("username=admin")).toBe("username=admin");
    expect(shellQuote("http://localhost:8080/auth/login")).toBe("http://localhost:8080/auth/login");
  });
});
