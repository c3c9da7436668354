import { BlockList } from "node:net";
import { describe, expect, test } from "@jest/globals";
import {
  addressHolder,
  canonicalAddress,
  clientAddress,
  parseCidrs,
  unmapIpv4,
} from "../../src/lib/ip-address.ts";

describe("unmapIpv4", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::192.0.2.1"],
    ["", ""],
  ])("%j is %j", (address, expected) => {
    expect(unmapIpv4(address)).toBe(expected);
  });
});

describe("canonicalAddress", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:C000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1%eth0", "192.0.2.1"],
    ["fe80::1%eth0", "fe80::1"],
    ["fe80::1%", "fe80::1"],
    ["FE80:0:0:0:0:0:0:1%12", "fe80::1"],
    ["2001:db8::0:1", "2001:db8::1"],
    ["::", "::"],
    ["", ""],
    ["[::1]", ""],
    ["192.0.2.1:80", ""],
    ["192.0.2.01", ""],
    ["unknown", ""],
    ["%eth0", ""],
  ])("%j is %j", (address, expected) => {
    expect(canonicalAddress(address)).toBe(expected);
  });
});

describe("parseCidrs", () => {
  test.each([
    ["10.0.0.0/8", "10.255.0.1", "11.0.0.1"],
    ["192.0.2.1", "192.0.2.1", "192.0.2.2"],
    ["0.0.0.0/0", "203.0.113.1", "::1"],
    ["2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"],
    ["::1", "::1", "::2"],
    [" 10.0.0.0/8 , ::1/128", "::1", "::2"],
  ])("%j holds %s and not %s", (text, inside, outside) => {
    const list = parseCidrs(text);
    const holds = (address: string) => list?.check(address, address.includes(":") ? "ipv6" : "ipv4");
    expect([holds(inside), holds(outside)]).toEqual([true, false]);
  });

  test.each([
    "",
    ",",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "::/129",
    "localhost",
    "10.0.0.0/8,",
    "fe80::1%eth0",
    "1e1.0.0.0",
  ])("%j is no list", (text) => {
    expect(parseCidrs(text)).toBeNull();
  });
});

describe("clientAddress", () => {
  const proxies = "10.0.0.0/8, 127.0.0.1, 2001:db8::/32";

  test.each([
    ["a peer that is no proxy", "192.0.2.7", "203.0.113.1", "192.0.2.7"],
    ["a mapped peer", "::ffff:192.0.2.7", undefined, "192.0.2.7"],
    ["a proxy without a header", "10.0.0.1", undefined, "10.0.0.1"],
    ["a proxy with an empty header", "10.0.0.1", "", "10.0.0.1"],
    ["one hop", "10.0.0.1", "192.0.2.7", "192.0.2.7"],
    ["a mapped proxy", "::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"],
    ["an IPv6 proxy", "2001:db8::1", "192.0.2.7", "192.0.2.7"],
    ["claims to the left", "10.0.0.1", "203.0.113.1, 127.0.0.1, 192.0.2.7", "192.0.2.7"],
    ["several proxies", "10.0.0.1", "192.0.2.7, 10.0.0.3, 2001:db8::2", "192.0.2.7"],
    ["only proxies", "10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"],
    ["no spaces", "10.0.0.1", "203.0.113.1,192.0.2.7", "192.0.2.7"],
    ["a port", "10.0.0.1", "192.0.2.7:1234", "192.0.2.7"],
    ["IPv6", "10.0.0.1", "2001:4860::7", "2001:4860::7"],
    ["IPv6 in brackets with a port", "10.0.0.1", "[2001:4860::7]:1234", "2001:4860::7"],
    ["IPv6 in other spellings", "10.0.0.1", "2001:4860:0:0:0:0:0:0007", "2001:4860::7"],
    ["a mapped hop", "10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"],
    ["a mapped hop in hexadecimal", "10.0.0.1", "::ffff:c000:207", "192.0.2.7"],
    ["a mapped proxy among the hops", "10.0.0.1", "192.0.2.7, ::ffff:0a00:0002", "192.0.2.7"],
    ["a hop that is no address", "10.0.0.1", "192.0.2.7, unknown", "10.0.0.1"],
    ["a hop with a zone", "10.0.0.1", "fe80::1%anything at all", "10.0.0.1"],
    ["spaces and tabs around a hop", "10.0.0.1", "203.0.113.1 ,\t 192.0.2.7 \t", "192.0.2.7"],
    ["white space that is none around a hop", "10.0.0.1", "203.0.113.1,\u00a0192.0.2.7", "10.0.0.1"],
    ["a trailing comma", "10.0.0.1", "192.0.2.7,", "10.0.0.1"],
    ["no peer", "", "192.0.2.7", ""],
    ["a link-local peer, without its zone", "fe80::1%eth0", "192.0.2.7", "fe80::1"],
    ["a peer in another spelling", "2001:DB9:0::0:1", undefined, "2001:db9::1"],
  ])("%s", (_, peer, forwardedFor, expected) => {
    expect(clientAddress(peer, forwardedFor, parseCidrs(proxies) ?? new BlockList())).toBe(expected);
  });

  test("nobody is believed where no proxy is trusted", () => {
    expect(clientAddress("127.0.0.1", "192.0.2.7", new BlockList())).toBe("127.0.0.1");
  });
});

describe("whose share an address takes", () => {
  const trusted = parseCidrs("10.0.0.0/8, fd00::/8");

  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:abcd::1", "2001:db8:1:ab00::/56"],
    ["2001:db8:1:abff:ffff::1", "2001:db8:1:ab00::/56"],
    ["2001:db8:1:a::1", "2001:db8:1:000::/56"],
    ["2001:db8:1:1ab::1", "2001:db8:1:100::/56"],
    ["2001:db8::1", "2001:db8:0:000::/56"],
    ["10.1.2.3", null],
    ["fd00::1", null],
    ["", ""],
  ])("%s takes that of %s", (address, holder) => {
    if (trusted === null) throw new Error("the ranges cannot be read");
    expect(addressHolder(address, trusted)).toBe(holder);
  });
});
