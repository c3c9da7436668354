import { describe, expect, test } from "@jest/globals";
import { createTranscoder } from "../../src/transcoding/transcoder.ts";
import type { Transcoder } from "../../src/transcoding/transcoder.ts";
import { find, get, library, post, refusal, serviceWith } from "./demo.ts";
import type { RuleInit } from "./demo.ts";

function show(transcoder: Transcoder, method: string, path: string): string {
  const match = transcoder.match(method, path);
  switch (match.kind) {
    case "found":
      return [match.route.method.name, ...match.variables].join(" | ");
    case "not_found":
      return "not_found";
    default:
      return `${match.kind} ${match.allow.join(", ")}`;
  }
}

describe("routing", () => {
  test.each([
    ["GET", "/books/7", "GetBook | 7"],
    ["GET", "/shelves/a/books/7", "GetBook | a | 7"],
    ["GET", "/books/random", "GetRandomBook"],
    ["GET", "/books/rand%6Fm", "GetRandomBook"],
    ["GET", "/books", "SearchBooks"],
    ["GET", "/books/", "SearchBooks"],
    ["HEAD", "/books", "SearchBooks"],
    ["POST", "/books", "CreateBook"],
    ["PURGE", "/books", "Purge"],
    ["GET", "/books/a%2Fb", "GetBook | a/b"],
    ["GET", "/books/%C3%A9", "GetBook | é"],
    ["GET", "/books/a+b", "GetBook | a+b"],
    ["GET", "/books/a:b", "GetBook | a:b"],
    ["GET", "/books/a:tag", "GetBook | a:tag"],
    ["POST", "/books/a:tag", "TagBook | a"],
    ["POST", "/books/a%3Atag", "method_not_allowed DELETE, GET, HEAD, OPTIONS, PUT"],
    ["POST", "/books/a:b:tag", "TagBook | a:b"],
    ["POST", "/books/:tag", "method_not_allowed DELETE, GET, HEAD, OPTIONS, PUT"],
    // A literal that does not take the method does not hide a variable that does.
    ["DELETE", "/books/random", "DeleteBook | random"],
    ["GET", "/files/a/b%2Fc/d", "GetFile | a/b%2Fc/d"],
    ["GET", "/files/a%20b", "GetFile | a b"],
    ["GET", "/files", "GetFile | "],
    ["GET", "/files/a//b", "not_found"],
    ["GET", "/files//a", "not_found"],
    ["GET", "/files//", "not_found"],
    ["GET", "/files/", "GetFile | "],
    ["GET", "/books//", "not_found"],
    ["DELETE", "/books//", "not_found"],
    ["DELETE", "/shelves//books/7", "not_found"],
    // The slash is passed over where it cannot stand for an empty variable.
    ["POST", "/books/", "CreateBook"],
    ["PURGE", "/books/", "Purge"],
    ["HEAD", "/books/", "SearchBooks"],
    ["POST", "/files/a/b:undelete", "UndeleteFile | a/b"],
    ["GET", "/v1/projects/p/rooms/r%2fs", "GetResource | projects/p/rooms/r%2fs"],
    ["GET", "/v1/projects/p/rooms", "not_found"],
    ["GET", "/v1/projects/p/rooms/r/s", "not_found"],
    ["GET", "/v1/projects//rooms/r", "not_found"],
    ["POST", "/sign-in/", "SignIn"],
    ["POST", "/sign-in//", "not_found"],
    ["POST", "//sign-in", "not_found"],
    ["POST", "/Sign-in", "not_found"],
    ["GET", "/", "not_found"],
    ["GET", "", "not_found"],
    ["GET", "*", "not_found"],
    ["GET", "/shelves", "not_found"],
    ["GET", "/internal", "not_found"],
    ["GET", "/__proto__", "not_found"],
    ["GET", "/sign-in", "method_not_allowed OPTIONS, POST"],
    ["post", "/sign-in", "method_not_allowed OPTIONS, POST"],
    ["OPTIONS", "/sign-in", "options OPTIONS, POST"],
    ["OPTIONS", "/books", "options GET, HEAD, OPTIONS, POST, PURGE"],
    ["OPTIONS", "/nowhere", "not_found"],
    ["PATCH", "/books/random", "method_not_allowed DELETE, GET, HEAD, OPTIONS, PUT"],
  ])("%s %s leads to %s", (method, path, expected) => {
    expect(show(library, method, path)).toBe(expected);
  });

  test.each(["/books/%", "/books/%zz", "/books/%C3", "/books/%ED%A0%80", "/%ff/x", "/a b", "/é", "/a\u0000"])(
    "the broken path %p is refused",
    (path) => {
      expect(refusal(() => library.match("GET", path))).toBe("400 The path is not well-formed.");
    },
  );

  test("literals go before *, and * before **, without losing the way", () => {
    const service = serviceWith(
      { rpc: "Rest", rule: get("/a/**") },
      { rpc: "Deep", rule: get("/a/*/c/{id}") },
      { rpc: "Literal", rule: get("/a/b/c/d") },
      { rpc: "Narrow", rule: get("/a/b/*/{id=**}") },
    );
    const transcoder = createTranscoder({ services: [service] });
    expect(show(transcoder, "GET", "/a/b/c/d")).toBe("Literal");
    expect(show(transcoder, "GET", "/a/b/c/e")).toBe("Narrow | e");
    expect(show(transcoder, "GET", "/a/x/c/e")).toBe("Deep | e");
    expect(show(transcoder, "GET", "/a/x/y/e")).toBe("Rest");
    expect(show(transcoder, "GET", "/a/b/c/d/e")).toBe("Narrow | d/e");
    expect(show(transcoder, "GET", "/a")).toBe("Rest");
  });

  test("what is meant for one of a collection never falls to the collection, for want of a name", () => {
    const rule = (method: "delete" | "put" | "patch" | "post", path: string): RuleInit["rule"] => ({
      pattern: { case: method, value: path },
    });
    const service = serviceWith(
      { rpc: "List", rule: get("/a") },
      { rpc: "GetOne", rule: get("/a/{id}") },
      { rpc: "DeleteAll", rule: rule("delete", "/a") },
      { rpc: "DeleteOne", rule: rule("delete", "/a/{id}") },
      { rpc: "PutAll", rule: rule("put", "/a") },
      { rpc: "PutOne", rule: rule("put", "/a/*") },
      { rpc: "PatchAll", rule: rule("patch", "/b") },
      { rpc: "PatchSome", rule: rule("patch", "/b/{id=**}") },
      { rpc: "AddOne", rule: rule("post", "/a") },
      { rpc: "Clear", rule: rule("delete", "/c") },
      { rpc: "Read", rule: get("/c/{id}") },
    );
    const transcoder = createTranscoder({ services: [service] });
    for (const [method, path, expected] of [
      ["DELETE", "/a", "DeleteAll"],
      ["DELETE", "/a/", "not_found"],
      ["DELETE", "/a//", "not_found"],
      ["DELETE", "/a/1", "DeleteOne | 1"],
      ["DELETE", "/a/1/", "DeleteOne | 1"],
      ["PUT", "/a/", "not_found"],
      ["PATCH", "/b/", "not_found"],
      ["PATCH", "/b", "PatchAll"],
      ["GET", "/a/", "List"],
      ["HEAD", "/a/", "List"],
      ["POST", "/a/", "AddOne"],
      ["DELETE", "/c/", "not_found"],
      ["DELETE", "/c", "Clear"],
    ] as const) {
      expect([method, path, show(transcoder, method, path)]).toEqual([method, path, expected]);
    }
  });

  test("a base path goes before everything, and nothing answers without it", () => {
    const service = serviceWith({ rpc: "Get", rule: get("/a/{id}") });
    for (const basePath of ["/api", "/api/"]) {
      const transcoder = createTranscoder({ services: [service], basePath });
      expect(show(transcoder, "GET", "/api/a/1")).toBe("Get | 1");
      expect(show(transcoder, "GET", "/a/1")).toBe("not_found");
      expect(transcoder.bindings.map((binding) => binding.path)).toEqual(["/api/a/{id}"]);
    }
  });

  test("a binding to every method takes all but OPTIONS", () => {
    const rule = { pattern: { case: "custom" as const, value: { kind: "*", path: "/any" } } };
    const transcoder = createTranscoder({ services: [serviceWith({ rpc: "Any", rule })] });
    expect(show(transcoder, "DELETE", "/any")).toBe("Any");
    expect(show(transcoder, "OPTIONS", "/any")).toBe("options OPTIONS");
  });

  test("whether a body is needed follows from the binding", () => {
    expect(library.needsBody(find(library, "POST", "/sign-in"))).toBe(true);
    expect(library.needsBody(find(library, "DELETE", "/books/1"))).toBe(false);
  });

  test("a long path costs no more than its length", () => {
    const started = performance.now();
    library.match("GET", `/files${"/a".repeat(50_000)}`);
    library.match("GET", `/${":".repeat(100_000)}`);
    library.match("GET", `/${"/".repeat(100_000)}x`);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("the start is stopped by", () => {
  const mistakes: [string, RuleInit[], string][] = [
    [
      "two RPCs at one place",
      [
        { rpc: "A", rule: get("/x/{id}") },
        { rpc: "B", rule: get("/x/*") },
      ],
      "demo.v1.Test.A and demo.v1.Test.B are bound to the same method and path",
    ],
    [
      "two RPCs at one place with a verb",
      [
        { rpc: "A", rule: post("/x:go") },
        { rpc: "B", rule: post("/x:go") },
      ],
      "demo.v1.Test.A and demo.v1.Test.B are bound",
    ],
    [
      "a malformed template",
      [{ rpc: "A", rule: get("/x/") }],
      "demo.v1.Test.A cannot be bound to HTTP: the path template /x/ has an empty or malformed segment",
    ],
    [
      "an unknown path variable",
      [{ rpc: "A", rule: get("/{nope}") }],
      "demo.v1.Test.A cannot be bound to HTTP: the path variable nope is not a field",
    ],
    [
      "a JSON name as path variable",
      [{ rpc: "A", rule: get("/{sizeBytes}") }],
      "must be written in proto names",
    ],
    [
      "a repeated path variable",
      [{ rpc: "A", rule: get("/{tags}") }],
      "the path variable tags is repeated or a message",
    ],
    [
      "a message as path variable",
      [{ rpc: "A", rule: get("/{author}") }],
      "the path variable author is not a field",
    ],
    [
      "a timestamp as path variable",
      [{ rpc: "A", rule: get("/{bought_at}") }],
      "the path variable bought_at is repeated or a message",
    ],
    [
      "a variable within a list",
      [{ rpc: "A", rule: get("/{editors.age}") }],
      "the path variable editors.age is not a field",
    ],
    [
      "an unknown body field",
      [{ rpc: "A", rule: post("/x", "nope") }],
      "the body names nope, which is not a field of demo.v1.Book",
    ],
    ["a body on GET", [{ rpc: "A", rule: { ...get("/x"), body: "*" } }], "GET takes no body"],
    [
      "a body that the path fills",
      [{ rpc: "A", rule: post("/{author.display_name}", "author") }],
      "the field author is filled by the path and by the body",
    ],
    [
      "an unknown response field",
      [{ rpc: "A", rule: { ...get("/x"), responseBody: "nope" } }],
      "the response body names nope",
    ],
    ["a binding without a method", [{ rpc: "A", rule: {} }], "the binding has no HTTP method"],
    [
      "a custom method in small letters",
      [{ rpc: "A", rule: { pattern: { case: "custom" as const, value: { kind: "get", path: "/x" } } } }],
      "the custom HTTP method must be in capital letters",
    ],
    [
      "nested additional bindings",
      [
        {
          rpc: "A",
          rule: { ...get("/x"), additionalBindings: [{ ...get("/y"), additionalBindings: [get("/z")] }] },
        },
      ],
      "additional bindings cannot nest",
    ],
    [
      "an RPC that takes a stream without a body",
      [{ rpc: "A", rule: get("/x"), clientStreaming: true }],
      "demo.v1.Test.A cannot be bound to HTTP: a stream of requests takes a body",
    ],
    [
      "an RPC that streams both ways",
      [{ rpc: "A", rule: get("/x"), clientStreaming: true, serverStreaming: true }],
      "demo.v1.Test.A cannot be bound to HTTP: streams in both directions have no form in HTTP",
    ],
    [
      "a stream of messages that could be taken for its failure",
      [{ rpc: "A", rule: get("/x"), output: "Report", serverStreaming: true }],
      "demo.v1.Test.A streams the field error, which could be taken for the stream's failure",
    ],
    [
      "a raw body that the path fills too",
      [{ rpc: "A", rule: post("/x/{content_type}", "*"), input: "google.api.HttpBody" }],
      "demo.v1.Test.A cannot be bound to HTTP: the message google.api.HttpBody is filled by the path and by the body",
    ],
    [
      "a binding to CONNECT",
      [{ rpc: "A", rule: { pattern: { case: "custom" as const, value: { kind: "CONNECT", path: "/x" } } } }],
      "demo.v1.Test.A cannot be bound to HTTP: CONNECT takes no path",
    ],
  ];
  test.each(mistakes)("%s", (_name, rules, problem) => {
    expect(() => createTranscoder({ services: [serviceWith(...rules)] })).toThrow(problem);
  });

  test("a stream's success status that has no content", () => {
    const service = serviceWith({ rpc: "A", rule: get("/x"), serverStreaming: true });
    expect(() => createTranscoder({ services: [service], successStatus: () => 204 })).toThrow(
      "demo.v1.Test.A answers with a stream, for which the status 204 has no room",
    );
  });

  test("a success status that is none", () => {
    const service = serviceWith({ rpc: "A", rule: get("/x") });
    expect(() => createTranscoder({ services: [service], successStatus: () => 404 })).toThrow(
      "demo.v1.Test.A has the success status 404",
    );
  });

  test.each(["api", "/api//", "/a b", "/{x}", "//"])("the base path %p", (basePath) => {
    expect(() => createTranscoder({ services: [], basePath })).toThrow("the base path must be");
  });
});
