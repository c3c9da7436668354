import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { basic, sendForm } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";

let service: TestService;
beforeAll(async () => {
  service = await startService({ env: { BUILTIN_CLIENT: "off" } });
});
afterAll(() => service.stop());

test.each<[string, Record<string, string>, Record<string, string>]>([
  ["that names no client", {}, {}],
  ["for the built-in client", { client_id: "countersign" }, {}],
  ["for the built-in client by HTTP Basic", {}, basic("countersign:")],
  ["with an empty HTTP Basic", {}, basic(":")],
])("with BUILTIN_CLIENT=off a login %s is invalid_client", async (_what, more, headers) => {
  const answer = await sendForm(`${service.url}/auth/login`, { ...service.admin, ...more }, headers);
  expect([answer.status, answer.json["reason"]]).toEqual([401, "invalid_client"]);
});
