import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import * as given from "../_harness/given.ts";
import { openH2 } from "../_harness/h2-request.ts";
import { basic, sendForm, sendJson } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  // RateLimit counts on from one answer to the next.
  service = await startService({ env: { THROTTLE_LOGIN_ADDRESS: "off" } });
  await Promise.all(
    (["active", "pending", "suspended", "deactivated"] as const).map((status) =>
      given.user(service, { username: status, status, email: `${status}@example.org` }),
    ),
  );
});
afterAll(() => service.stop());

const requestIds = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const names = [
  "active",
  "active@example.org",
  "pending",
  "suspended",
  "deactivated",
  "nobody",
  "nobody@example.org",
  "a'; select pg_sleep(1)--",
];

/** One text for every byte that the caller sees, but for the date and the request's id. */
function bytesOf(status: number, headers: Iterable<readonly [string, unknown]>, body: string): string {
  const fields = [...headers].filter(([name]) => name !== "date");
  return JSON.stringify([status, fields, body]).replace(requestIds, "ID");
}

describe("with a wrong password, users of every status and unknown ones are answered alike, byte for byte:", () => {
  const expectOne = async (ask: (username: string) => Promise<string>): Promise<void> => {
    const answers = await Promise.all(names.map(ask));
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toContain("invalid_credentials");
  };

  test("over REST", async () => {
    await expectOne(async (username) => {
      const { status, headers, text } = await sendForm(`${service.url}/auth/login`, {
        username,
        password: "wrong",
      });
      return bytesOf(status, headers, text);
    });
  });

  test("over REST for a caller who sent Basic", async () => {
    await expectOne(async (username) => {
      const form = { username, password: "wrong" };
      const { status, headers, text } = await sendForm(
        `${service.url}/auth/login`,
        form,
        basic("countersign:"),
      );
      return bytesOf(status, headers, text);
    });
  });

  test("over Connect", async () => {
    await expectOne(async (username) => {
      const path = "/countersign.v1.AuthService/Login";
      const { status, headers, text } = await sendJson(service.url + path, { username, password: "wrong" });
      return bytesOf(status, headers, text);
    });
  });

  test("over gRPC, in headers and trailers", async () => {
    const h2 = openH2(service.url);
    await expectOne(async (username) => {
      const fields = [username, "wrong"].map((text, index) => {
        return Buffer.concat([Buffer.of(index * 8 + 0x12, Buffer.byteLength(text)), Buffer.from(text)]);
      });
      const message = Buffer.concat(fields);
      const answer = await h2.send({
        method: "POST",
        path: "/countersign.v1.AuthService/Login",
        headers: { "content-type": "application/grpc", te: "trailers" },
        body: Buffer.concat([Buffer.of(0, 0, 0, 0, message.length), message]),
      });
      const seen = [...Object.entries(answer.headers), ...Object.entries(answer.trailers)];
      const details = Buffer.from(String(answer.trailers["grpc-status-details-bin"]), "base64");
      return bytesOf(answer.status, seen, answer.body.toString("latin1")) + details.toString("latin1");
    });
    h2.close();
  });
});
