import { describe, expect, test } from "@jest/globals";
import { addressPrefix } from "../../src/lib/ip-address.ts";
import { parseRate } from "../../src/lib/rate.ts";

describe("a rate", () => {
  test.each([
    ["60/1m", { count: 60, periodMs: 60_000, burst: 60 }],
    ["60/1m burst 10", { count: 60, periodMs: 60_000, burst: 10 }],
    ["1/30d burst 1000000", { count: 1, periodMs: 2_592_000_000, burst: 1_000_000 }],
    ["1000000/1s", { count: 1_000_000, periodMs: 1000, burst: 1_000_000 }],
  ])("is read from %s", (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });

  test.each([
    "",
    "60",
    "60/m",
    "60/60",
    "/1m",
    "0/1m",
    "-1/1m",
    "1.5/1m",
    "60/1m burst",
    "60/1m burst 0",
    "60/1m  burst 10",
    "60/1m burst 10 ",
    " 60/1m",
    "60 / 1m",
    "1000001/1s",
    "60/1m burst 1000001",
    "1/500ms",
    "1/31d",
    "1/0s",
    "1e3/1m",
    "60/1m,10/1s",
    "off",
  ])("is not %p", (text) => {
    expect(parseRate(text)).toBeNull();
  });
});

describe("the part of an address that is limited", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:2::ffff", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["", ""],
  ])("of %p is %p", (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix);
  });
});
