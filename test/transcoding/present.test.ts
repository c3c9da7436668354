import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { renderProblem } from "../../src/transcoding/problem.ts";
import { createTranscoder } from "../../src/transcoding/transcoder.ts";
import { find, get, library, serviceWith } from "./demo.ts";
import {
  BookSchema,
  FileRequestSchema,
  Format,
  LibraryService,
  SearchBooksResponseSchema,
} from "./gen/demo_pb.ts";

const text = (body: Uint8Array | null) => (body === null ? null : new TextDecoder().decode(body));

function present(init: MessageInitShape<typeof BookSchema>): string | null {
  return text(library.present(find(library, "GET", "/books/1"), create(BookSchema, init)).body);
}

const unset =
  '"title":"","pages":0,"copies":0,"size_bytes":"0","serial":"0","rating":0,"price":0,"available":false,' +
  '"cover":"","format":"FORMAT_UNSPECIFIED","tags":[],"editors":[],"bought_at":null,"roles":{},"counts":{}}';

describe("answers", () => {
  test("write fields without presence always, nullable ones as null, and leave others out", () => {
    expect(present({})).toBe(`{"id":"",${unset}`);
  });

  test("write messages within messages alike, in declared order", () => {
    expect(present({ author: { displayName: "é" } })).toBe(
      `{"id":"","author":{"display_name":"é","age":null},${unset}`,
    );
    const full = present({
      editors: [{ age: 3 }, {}],
      roles: { x: {} },
      sequel: {},
      subtitle: "",
      extra: { age: 1, nested: { id: "1" } },
      sizeBytes: 5n,
      format: Format.PAPER,
      boughtAt: { seconds: 1n },
      code: { case: "isbn", value: "" },
    });
    expect(JSON.parse(full ?? "")).toMatchObject({
      editors: [
        { display_name: "", age: 3 },
        { display_name: "", age: null },
      ],
      roles: { x: { display_name: "", age: null } },
      sequel: { id: "", bought_at: null },
      subtitle: "",
      extra: { age: 1, nested: { id: "1" } },
      size_bytes: "5",
      format: "FORMAT_PAPER",
      bought_at: "1970-01-01T00:00:01Z",
      isbn: "",
    });
  });

  test("show one field where the binding says so", () => {
    const match = find(library, "GET", "/titles");
    const message = create(SearchBooksResponseSchema, { books: [{ id: "1" }] });
    expect(text(library.present(match, message).body)).toBe(`[{"id":"1",${unset}]`);
    expect(text(library.present(match, create(SearchBooksResponseSchema)).body)).toBe("[]");
    const service = serviceWith({ rpc: "A", rule: { ...get("/a"), responseBody: "author" } });
    const transcoder = createTranscoder({ services: [service] });
    expect(text(transcoder.present(find(transcoder, "GET", "/a"), create(BookSchema)).body)).toBe("null");
  });

  test("write the nulls of one answer at its end", () => {
    const file = find(library, "GET", "/files/a");
    const nulls = ["note", "subtitle"];
    const { body } = library.present(file, create(FileRequestSchema), undefined, nulls);
    expect(text(body)).toBe('{"name":"","note":null,"subtitle":null}');
    const transcoder = createTranscoder({ services: [LibraryService], successStatus: () => 200 });
    const empty = find(transcoder, "POST", "/sign-in");
    expect(text(transcoder.present(empty, create(EmptySchema), undefined, nulls).body)).toBe(
      '{"note":null,"subtitle":null}',
    );
  });

  test("are 200, or 204 without a body where the message has no fields", () => {
    expect(library.present(find(library, "GET", "/files/a"), create(FileRequestSchema)).status).toBe(200);
    expect(library.present(find(library, "POST", "/sign-in"), create(EmptySchema))).toEqual({
      status: 204,
      contentType: null,
      body: null,
    });
  });

  test("take the status that the method asks for", () => {
    const statuses = new Map([
      ["CreateBook", 201],
      ["SignIn", 200],
      ["GetFile", 204],
    ]);
    const transcoder = createTranscoder({
      services: [LibraryService],
      successStatus: (method) => statuses.get(method.name),
    });
    expect(transcoder.present(find(transcoder, "POST", "/books"), create(BookSchema)).status).toBe(201);
    const empty = transcoder.present(find(transcoder, "POST", "/sign-in"), create(EmptySchema));
    expect([empty.status, text(empty.body)]).toEqual([200, "{}"]);
    expect(transcoder.present(find(transcoder, "GET", "/files"), create(FileRequestSchema))).toEqual({
      status: 204,
      contentType: null,
      body: null,
    });
  });

  test("are UTF-8 whatever the text holds", () => {
    const { body } = library.present(
      find(library, "GET", "/files/a"),
      create(FileRequestSchema, { name: "\ud800é" }),
    );
    expect(new TextDecoder("utf-8", { fatal: true }).decode(body ?? undefined)).toBe('{"name":"\\ud800é"}');
  });
});

describe("problems", () => {
  test("keep the order of their members, under the type that the caller asks for", () => {
    const problem = {
      type: "about:blank",
      title: "Not Found",
      status: 404,
      detail: "No.",
      reason: "not_found",
      errors: undefined,
    };
    const expected =
      '{"type":"about:blank","title":"Not Found","status":404,"detail":"No.","reason":"not_found"}';
    for (const [accept, contentType] of [
      [undefined, "application/problem+json"],
      ["application/json", "application/json"],
    ] as const) {
      const rendered = renderProblem(problem, accept);
      expect(rendered.contentType).toBe(contentType);
      expect(text(rendered.body)).toBe(expected);
    }
  });
});
