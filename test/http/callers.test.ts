import { BlockList } from "node:net";
import { expect, test } from "@jest/globals";
import { createCallersOf } from "../../src/http/peers/callers.ts";

const trusted = new BlockList();
trusted.addSubnet("10.0.0.0", 8, "ipv4");

test("each of many callers behind a proxy is known by its own address, at first and later", () => {
  const find = createCallersOf(trusted)("10.0.0.1");
  const addresses = Array.from({ length: 5_000 }, (_, index) => `192.0.${index >> 8}.${index & 255}`);
  for (const address of [...addresses, ...addresses]) {
    expect(find(address)).toEqual({ address, holder: address, peerAddress: "10.0.0.1" });
  }
});

test("what a header says counts on a proxy's connection alone, and beside that proxy", () => {
  const callersOf = createCallersOf(trusted);
  const header = "192.0.2.1, 10.0.0.2";
  const found = ["10.0.0.1", "198.51.100.1", "::ffff:10.0.0.1"].map((peer) => callersOf(peer)(header));
  expect(found.map(({ address, peerAddress }) => [address, peerAddress])).toEqual([
    ["192.0.2.1", "10.0.0.1"],
    ["198.51.100.1", "198.51.100.1"],
    ["192.0.2.1", "::ffff:10.0.0.1"],
  ]);
});

test("a proxy that names nobody stands for itself, and its share has no limit", () => {
  const find = createCallersOf(trusted)("10.0.0.1");
  for (const header of [undefined, "", "unknown", `${"x".repeat(200)}, _hidden`]) {
    expect(find(header)).toEqual({ address: "10.0.0.1", holder: null, peerAddress: "10.0.0.1" });
  }
});
