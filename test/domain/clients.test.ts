import { describe, expect, test } from "@jest/globals";
import { createClients } from "../../src/domain/client/clients.ts";

const options = { builtin: { enabled: true, scopes: ["a"] }, audience: "https://api.example.com" };
const clients = createClients(options);
const without = createClients({ ...options, builtin: { enabled: false, scopes: ["a"] } });
const builtin = { id: "countersign", firstParty: true, scopes: ["a"], audience: "https://api.example.com" };
const refused = expect.objectContaining({ reason: "invalid_client" });

describe("the built-in client", () => {
  test.each(["", "countersign"])("makes the requests that name %j", (id) => {
    expect(clients.authenticate({ id, secret: "" })).toEqual(builtin);
  });

  test.each([
    ["another name", "somebody", ""],
    ["its name in capitals", "Countersign", ""],
    ["a secret, which it has none of", "countersign", "a secret"],
    ["a secret without a name", "", "a secret"],
  ])("is not taken for %s", (_what, id, secret) => {
    expect(() => clients.authenticate({ id, secret })).toThrow(refused);
  });

  test("is nobody where it is switched off, whether named or not", () => {
    for (const id of ["", "countersign"]) {
      expect(() => without.authenticate({ id, secret: "" })).toThrow(refused);
    }
    expect(without.find("countersign")).toBeNull();
  });

  test("is found by its id", () => {
    expect(clients.find("countersign")).toEqual(builtin);
    expect(clients.find("")).toBeNull();
    expect(clients.find("somebody")).toBeNull();
  });
});
