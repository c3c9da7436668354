import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { UserService } from "../../src/gen/countersign/v1/users_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../src/gen/google/rpc/error_details_pb.ts";
import { call } from "../_harness/call-command.ts";
import { makeCertificates } from "../http/certificates.ts";

jest.setTimeout(60_000);

const token = "a-token-that-nobody-else-may-see";
let folder: string;
let opened: { close(): unknown } | null = null;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-test-others-"));
  process.env["XDG_CONFIG_HOME"] = folder;
  delete process.env["DATABASE_URL"];
  await writeFile(join(folder, "token"), token);
});
afterEach(() => {
  opened?.close();
  opened = null;
});
afterAll(() => rm(folder, { recursive: true }));

async function listen(server: Server): Promise<number> {
  opened = server;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const ask = (port: number | string, ...args: string[]) =>
  call(
    "user",
    "list",
    "--order-by",
    "username",
    ...args,
    "--server",
    `http://127.0.0.1:${port}`,
    "--token-file",
    join(folder, "token"),
  );

/** What is printed after the line that says which server. */
async function complaint(asked: ReturnType<typeof ask>): Promise<string> {
  const { code, stdout, stderr } = await asked;
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).not.toMatch(/\n {4}at /);
  expect(stderr).not.toContain(token);
  return stderr.split("\n").slice(1).join("\n").trimEnd();
}

describe("what is no Countersign is told of", () => {
  test.each<[string, RequestListener, RegExp]>([
    [
      "a page",
      (_request, answer) => void answer.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      /^The server http:\/\/127\.0\.0\.1:\d+ is no Countersign, or something in between answers for it: status 200, content type text\/html\.$/,
    ],
    [
      "nothing found",
      (_request, answer) => void answer.writeHead(404).end(),
      /is no Countersign.*: status 404, content type none\.$/,
    ],
    [
      "an error of a gateway",
      (_request, answer) => void answer.writeHead(502, { "content-type": "text/plain\u00a0x" }).end("bad"),
      /is no Countersign.*: status 502/,
    ],
    [
      "JSON that is no error of ours",
      (_request, answer) => void answer.writeHead(500, { "content-type": "application/json" }).end("[1]"),
      /^The service's answer cannot be used: HTTP 500\.?$/,
    ],
    [
      "a message that cannot be read",
      (_request, answer) =>
        void answer.writeHead(200, { "content-type": "application/proto" }).end("\u00ff\u00ff"),
      /^The service's answer cannot be used: /,
    ],
    [
      "an answer that has no end",
      (_request, answer) => {
        answer.writeHead(200, { "content-type": "application/proto" });
        const send = (): void => {
          while (!answer.destroyed && answer.write(Buffer.alloc(65_536)));
        };
        answer.on("drain", send);
        send();
      },
      /^The answer of the service is larger than any should be\.$/,
    ],
    [
      "compressed data that nobody asked for",
      (_request, answer) =>
        void answer
          .writeHead(200, { "content-type": "application/proto", "content-encoding": "gzip" })
          .end("x"),
      /^The service's answer cannot be used: unsupported response encoding/,
    ],
    [
      "header fields without an end",
      (_request, answer) =>
        void answer
          .writeHead(200, { "content-type": "application/proto", "x-long": "x".repeat(80_000) })
          .end(),
      /sends more header fields than any answer has\.$/,
    ],
    ["a connection that ends", (request) => void request.socket.destroy(), /has closed the connection\.$/],
  ])("%s", async (_what, listener, form) => {
    expect(await complaint(ask(await listen(createServer(listener))))).toMatch(form);
  });

  test("bytes that are no HTTP", async () => {
    const server = createSocketServer((socket) => socket.end("SSH-2.0-OpenSSH_9\r\n"));
    opened = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    expect(await complaint(ask((server.address() as AddressInfo).port))).toMatch(/does not speak HTTP\.$/);
  });

  test("nobody", async () => {
    const port = await listen(createServer());
    opened?.close();
    expect(await complaint(ask(port))).toMatch(/refuses connections: nothing listens there\.$/);
  });
});

test("no redirect is followed, and the token goes nowhere", async () => {
  const asked: (string | undefined)[] = [];
  const other = createServer((request, answer) => {
    asked.push(request.headers.authorization);
    answer.end();
  });
  const otherPort = await listen(other);
  const port = await listen(
    createServer((_request, answer) => {
      answer.writeHead(307, { location: `http://127.0.0.1:${otherPort}/\u00ff` }).end();
    }),
  );
  expect(await complaint(ask(port))).toMatch(
    /redirects to http:\/\/127\.0\.0\.1:\d+\/.*Nothing was sent there/,
  );
  expect(asked).toEqual([]);
  other.close();
});

describe("what a service says", () => {
  const serve = (routes: (router: ConnectRouter) => void) =>
    listen(createServer(connectNodeAdapter({ routes })));
  const hostile = "al\u001b[2Jice\u202e\n\u009b1m";

  test("draws nothing on the terminal", async () => {
    const port = await serve((router) => {
      router.rpc(UserService.method.listUsers, () => ({
        users: [{ id: "usr_1", username: hostile, status: hostile, roles: [hostile], etag: "e" }],
      }));
    });
    for (const args of [[], ["--json"]]) {
      const { code, stdout } = await ask(port, ...args);
      expect(code).toBe(0);
      expect(stdout).toContain("al\\u001b[2Jice");
      expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  test("is printed in its own words, fields too, and draws nothing either", async () => {
    const fieldViolations = [{ field: "filter", reason: "bad_form", description: `must not ${hostile}` }];
    const port = await serve((router) => {
      router.rpc(UserService.method.listUsers, () => {
        throw new ConnectError(`No. ${hostile}`, Code.InvalidArgument, undefined, [
          { desc: ErrorInfoSchema, value: { reason: "validation_failed", domain: "countersign" } },
          { desc: BadRequestSchema, value: { fieldViolations } },
        ]);
      });
    });
    const text = await complaint(ask(port));
    expect(text).toMatch(/^The filter must not al\\u001b\[2Jice/);
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  test("for a reason that is not known here is printed too", async () => {
    const port = await serve((router) => {
      router.rpc(UserService.method.listUsers, () => {
        const value = { reason: "of_a_newer_service", domain: "countersign" };
        throw new ConnectError("Come back tomorrow.", Code.Internal, undefined, [
          { desc: ErrorInfoSchema, value },
        ]);
      });
    });
    expect(await complaint(ask(port))).toBe("Come back tomorrow.");
  });

  test("is no list without an end", async () => {
    let pages = 0;
    const port = await serve((router) => {
      router.rpc(UserService.method.listUsers, () => {
        pages += 1;
        return { users: [{ id: "usr_1", username: "a", status: "active" }], nextPageToken: "again" };
      });
    });
    expect((await ask(port)).code).toBe(0);
    expect(pages).toBe(2);
  });
});

describe("over TLS", () => {
  test("an unknown authority is refused with what to do, its file is taken, and another name is refused", async () => {
    const certificates = await makeCertificates("test");
    try {
      const server = createTlsServer(
        { cert: await readFile(certificates.certFile), key: await readFile(certificates.keyFile) },
        connectNodeAdapter({
          routes: (router) => void router.rpc(UserService.method.listUsers, () => ({ users: [] })),
        }),
      );
      opened = server;
      await new Promise<void>((resolve) => server.listen(0, resolve));
      const { port } = server.address() as AddressInfo;
      const list = (host: string, ...args: string[]) =>
        call(
          "user",
          "list",
          "--server",
          `https://${host}:${port}`,
          "--token-file",
          join(folder, "token"),
          ...args,
        );
      const ca = ["--ca-file", certificates.certFile];
      expect(await complaint(list("127.0.0.1"))).toMatch(/an authority that is not known here.*--ca-file\.$/);
      expect(await list("127.0.0.1", ...ca)).toMatchObject({ code: 0 });
      expect(await complaint(list("ip6-localhost.localhost", ...ca))).toMatch(
        /certificate for another name|cannot be resolved/,
      );
      expect(await complaint(list("127.0.0.1", "--ca-file", join(folder, "token")))).toMatch(
        /holds no certificate/,
      );
      const plain = await complaint(ask(port));
      expect(plain).toMatch(/has closed the connection|does not speak HTTP|no Countersign/);
    } finally {
      await certificates.remove();
    }
  });
});
