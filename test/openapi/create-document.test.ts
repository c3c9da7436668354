import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileRegistry, fromBinary, type JsonObject } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { createDocument } from "../../src/openapi/document.ts";
import { runTool } from "../_harness/run-tool.ts";
import { root } from "../_harness/service.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "countersign-document-"));
  for (const part of ["buf.yaml", "proto", "third_party"]) {
    await cp(join(root, part), join(folder, part), { recursive: true });
  }
  await mkdir(join(folder, "proto/demo/v1"), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What a service of one RPC is made of, where a test does not say otherwise. */
interface Demo {
  readonly comment?: string;
  readonly binding?: string;
  readonly field?: string;
}

async function documentOf({
  comment = "Does it.",
  binding = 'get: "/things/{name}"',
  field = "",
}: Demo): Promise<JsonObject> {
  const proto = `syntax = "proto3";
package demo.v1;
import "buf/validate/validate.proto";
import "countersign/v1/options.proto";
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
// A demo.
service DemoService {
  // ${comment.replaceAll("\n", "\n  // ")}
  rpc Do(DoRequest) returns (DoResponse) {
    option (google.api.http) = {${binding}};
    option (countersign.v1.access).bearer = {scopes: ["things"]};
  }
}
// Asks.
message DoRequest {
  // The name.
  string name = 1;
  ${field}
}
// Answers.
message DoResponse {
  // How many.
  int64 count = 1;
  // When.
  google.protobuf.Timestamp at = 2;
  // More of the same.
  repeated DoResponse parts = 3;
}
`;
  await writeFile(join(folder, "proto/demo/v1/demo.proto"), proto);
  const image = join(folder, "image.binpb");
  const built = await runTool("buf", ["build", folder, "--output", image]);
  if (built.code !== 0) throw new Error(built.output);
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, await readFile(image)));
  const service = registry.getService("demo.v1.DemoService");
  return createDocument(service === undefined ? [] : [service], "1.2.3");
}

test("a comment becomes summary, description and failures, and a binding path and query", async () => {
  const comment = "Do it.\n\nTwice,\nif need be.\n\nReasons: not_found (it\nwas never there), unavailable.";
  const field = "// How many at most.\n int32 size = 2 [(buf.validate.field).int32 = {gte: 0, lte: 9}];";
  const { paths } = await documentOf({ comment, field });
  expect(paths).toMatchObject({
    "/things/{name}": {
      get: {
        operationId: "do",
        tags: ["Demo"],
        summary: "Do it",
        description: "Twice, if need be.",
        security: [{ password: ["things"] }, { bearer: [] }],
        parameters: [
          { name: "name", in: "path", required: true, description: "The name.", schema: { type: "string" } },
          {
            name: "size",
            in: "query",
            required: false,
            description: "How many at most.",
            schema: { type: "integer", format: "int32", minimum: 0, maximum: 9 },
          },
        ],
        responses: {
          "404": { description: "- `not_found` (it was never there): Not Found (404)." },
          "503": { description: expect.stringMatching(/^- `unavailable`: /) },
        },
      },
    },
  });
});

test("an answer's schema is as ProtoJSON writes it, and may hold itself", async () => {
  const { components } = await documentOf({});
  expect((components as { schemas: JsonObject }).schemas["DoResponse"]).toEqual({
    type: "object",
    description: "Answers.",
    required: ["count", "parts"],
    properties: {
      count: { type: "string", pattern: "^-?[0-9]+$", description: "How many." },
      at: { type: "string", format: "date-time", description: "When." },
      parts: {
        type: "array",
        items: { $ref: "#/components/schemas/DoResponse" },
        description: "More of the same.",
      },
    },
  });
});

test("lengths in bytes are bounds in characters, with the words beside", async () => {
  const rules = "(buf.validate.field).string.min_bytes = 5, (buf.validate.field).string.max_bytes = 40";
  const { paths } = await documentOf({ field: `// A text.\n string text = 2 [${rules}];` });
  expect(paths).toMatchObject({
    "/things/{name}": {
      get: {
        parameters: [
          {},
          {
            description: "A text. At least 5 bytes of UTF-8. At most 40 bytes of UTF-8.",
            schema: { type: "string", minLength: 2, maxLength: 40 },
          },
        ],
      },
    },
  });
});

test("additional bindings are operations of their own", async () => {
  const { paths } = await documentOf({
    binding: 'get: "/things/{name}" additional_bindings {post: "/things:do" body: "*"}',
  });
  expect(paths).toMatchObject({
    "/things/{name}": { get: { operationId: "do" } },
    "/things:do": { post: { operationId: "do2" } },
  });
});

test.each<[string, Demo, RegExp]>([
  [
    "a reason that is not in the registry",
    { comment: "Do it.\n\nReasons: bad_luck." },
    /bad_luck.*not in the registry/,
  ],
  [
    "a rule without a wording",
    {
      field: "// A text.\n string text = 2 [(buf.validate.field).string.pattern = '(?i)a'];",
    },
    /string\.pattern.*no wording/,
  ],
  ["a variable of several segments", { binding: 'get: "/things/{name=a/*}"' }, /DemoService\.Do .*OpenAPI/],
])("what the document cannot say stops its generation: %s", async (_what, demo, message) => {
  await expect(documentOf(demo)).rejects.toThrow(message);
});
