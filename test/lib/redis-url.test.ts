import { describe, expect, test } from "@jest/globals";
import { parseRedisUrl, type RedisTarget } from "../../src/lib/redis-url.ts";

const plain: RedisTarget = {
  kind: "standalone",
  hosts: [{ host: "r", port: 6379 }],
  masterName: "",
  tls: false,
  username: "",
  password: "",
  sentinelUsername: "",
  sentinelPassword: "",
  database: 0,
};

describe("parseRedisUrl", () => {
  test.each<[string, RedisTarget]>([
    ["redis://r", plain],
    ["redis://r:6380/3", { ...plain, hosts: [{ host: "r", port: 6380 }], database: 3 }],
    ["redis://r/", plain],
    ["rediss://u:p%40%3A@r", { ...plain, tls: true, username: "u", password: "p@:" }],
    ["redis://:p@[::1]:7000", { ...plain, hosts: [{ host: "::1", port: 7000 }], password: "p" }],
    [
      "redis+sentinel://:p@a,b:26380/main/2?sentinel_username=s&sentinel_password=q%26",
      {
        ...plain,
        kind: "sentinel",
        hosts: [
          { host: "a", port: 26_379 },
          { host: "b", port: 26_380 },
        ],
        masterName: "main",
        password: "p",
        sentinelUsername: "s",
        sentinelPassword: "q&",
        database: 2,
      },
    ],
    [
      "rediss+cluster://u:p@a:7000,b:7001,c",
      {
        ...plain,
        kind: "cluster",
        tls: true,
        hosts: [
          { host: "a", port: 7000 },
          { host: "b", port: 7001 },
          { host: "c", port: 6379 },
        ],
        username: "u",
        password: "p",
      },
    ],
  ])("reads %s", (text, expected) => {
    expect(parseRedisUrl(text)).toEqual(expected);
  });

  test.each([
    ["another scheme", "http://r"],
    ["another scheme with a known suffix", "valkey+cluster://r"],
    ["no host", "redis://"],
    ["a port of letters", "redis://r:80abc"],
    ["port 0", "redis://r:0"],
    ["a port beyond the last", "redis://r:65536"],
    ["white space", "redis:// r"],
    ["a database of letters", "redis://r/x"],
    ["two hosts without saying what they are", "redis://a,b"],
    ["a query that nobody reads", "redis://r?tls=1"],
    ["a fragment", "redis://r#1"],
    ["a name without a password", "redis://u@r"],
    ["a percent sign that encodes nothing", "redis://:%zz@r"],
    ["sentinels without a master's name", "redis+sentinel://a,b"],
    ["an unknown parameter", "redis+sentinel://a/m?x=1"],
    ["a parameter given twice", "redis+sentinel://a/m?sentinel_password=1&sentinel_password=2"],
    ["a database in a cluster", "redis+cluster://a/1"],
    ["an empty host among several", "redis+cluster://a,,b"],
  ])("refuses %s", (_, text) => {
    expect(parseRedisUrl(text)).toBeNull();
  });
});
