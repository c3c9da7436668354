import { create } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { bind, refusal } from "./demo.ts";
import { Format, GetEditionRequestSchema, SearchBooksRequestSchema } from "./gen/demo_pb.ts";

describe("query parameters", () => {
  const readable: [string, MessageInitShape<typeof SearchBooksRequestSchema>][] = [
    ["", {}],
    ["page_size=10", { pageSize: 10 }],
    ["pageSize=-3", { pageSize: -3 }],
    ["&&page_size=10&", { pageSize: 10 }],
    ["author.display_name=A+B%2BC", { author: { displayName: "A B+C" } }],
    ["author.displayName=%C3%A9&author.age=0", { author: { displayName: "é", age: 0 } }],
    ["also.also.exact=true&also.page_size=1", { also: { pageSize: 1, also: { exact: true } } }],
    ["tags=a&tags=&tags=b", { tags: ["a", "", "b"] }],
    ["formats=FORMAT_PAPER&formats=2&formats=99", { formats: [Format.PAPER, Format.EBOOK, 99 as Format] }],
    ["serial=18446744073709551615", { serial: 18446744073709551615n }],
    ["offset=-9223372036854775808", { offset: -9223372036854775808n }],
    ["available=false", { available: false }],
    ["since=2024-02-29T23:59:59.5Z", { since: { seconds: 1709251199n, nanos: 500_000_000 } }],
    ["since=2024-02-29T23:59:59%2B01:00", { since: { seconds: 1709247599n } }],
    ["loan=-1.5s", { loan: { seconds: -1n, nanos: -500_000_000 } }],
    ["fields=author.display_name,pageSize", { fields: { paths: ["author.display_name", "page_size"] } }],
    ["fields=", { fields: {} }],
    ["cover=-_8", { cover: new Uint8Array([0xfb, 0xff]) }],
    ["cover=%2B/8%3D", { cover: new Uint8Array([0xfb, 0xff]) }],
    ["rating=1e2", { rating: 100 }],
    ["rating=NaN", { rating: Number.NaN }],
    ["exact=true", { exact: true }],
    ["isbn=x", { code: { case: "isbn", value: "x" } }],
  ];
  test.each(readable)("%s", (query, expected) => {
    expect(bind("GET", `/books?${query}`)).toEqual(create(SearchBooksRequestSchema, expected));
  });

  const notValid = (field: string) => `400 The field ${field} does not hold a valid value.`;
  const unknown = "400 The request has a parameter that is not known.";
  const malformed = "400 The query string is not well-formed.";
  test.each([
    ["page_size=", notValid("page_size")],
    ["page_size", notValid("page_size")],
    ["page_size=1.5", notValid("page_size")],
    ["page_size=1e2", notValid("page_size")],
    ["page_size=0x10", notValid("page_size")],
    ["page_size=+1", notValid("page_size")],
    ["page_size=007", notValid("page_size")],
    ["page_size=2147483648", notValid("page_size")],
    [`page_size=${"9".repeat(60_000)}`, notValid("page_size")],
    ["serial=-1", notValid("serial")],
    ["serial=18446744073709551616", notValid("serial")],
    [`serial=${"9".repeat(60_000)}`, notValid("serial")],
    ["exact=1", notValid("exact")],
    ["exact=TRUE", notValid("exact")],
    ["available=yes", notValid("available")],
    ["formats=PAPER", notValid("formats")],
    ["formats=3000000000", notValid("formats")],
    ["since=2024-02-30T00:00:00Z", notValid("since")],
    ["since=2024-01-01T24:00:00Z", notValid("since")],
    ["since=0000-01-01T00:00:00Z", notValid("since")],
    ["since=yesterday", notValid("since")],
    ["loan=1", notValid("loan")],
    ["loan=1sx", notValid("loan")],
    ["loan=1.0123456789s", notValid("loan")],
    ["loan=999999999999s", notValid("loan")],
    ["fields=a%20b", notValid("fields")],
    ["fields=a__b", notValid("fields")],
    ["fields=a,,b", notValid("fields")],
    ["cover=*", notValid("cover")],
    ["cover=A", notValid("cover")],
    ["cover=AA%3D", notValid("cover")],
    ["rating=1e999", notValid("rating")],
    ["weight=1e39", notValid("weight")],
    ["author.age=x", notValid("author.age")],
    ["page_size=1&page_size=1", "400 The field page_size is given twice."],
    ["page_size=1&pageSize=2", "400 The field page_size is given twice."],
    ["author.age=1&author.age=2", "400 The field author.age is given twice."],
    ["isbn=a&issn=b", "400 Only one of the fields of code may be given."],
    ["nope=1", unknown],
    ["=1", unknown],
    ["author=1", unknown],
    ["author.=1", unknown],
    ["author.nope=1", unknown],
    ["page_size.x=1", unknown],
    ["labels=1", unknown],
    ["labels.a=1", unknown],
    ["authors.age=1", unknown],
    ["extra=1", unknown],
    ["since.seconds=1", unknown],
    ["__proto__=1", unknown],
    ["constructor.name=1", unknown],
    [`${"also.".repeat(31)}exact.nope=true`, unknown],
    [`${"also.".repeat(5_000)}exact=true`, unknown],
    ["page_size=%", malformed],
    ["page_size=%FF", malformed],
    ["%ED%A0%80=1", malformed],
    ["tags=é", malformed],
    ["tags=a b", malformed],
  ])("%.60s is refused", (query, expected) => {
    expect(refusal(() => bind("GET", `/books?${query}`))).toBe(expected);
  });

  test("a field that the path fills is not taken from the query", () => {
    expect(refusal(() => bind("GET", "/books/7?id=8"))).toBe(
      "400 The field id may not be given as a parameter here.",
    );
    expect(bind("GET", "/books/7?shelf=8")).toMatchObject({ id: "7", shelf: "8" });
  });

  test("a field that the body fills is not taken from the query", () => {
    const call = { contentType: "application/json", body: "{}" };
    expect(refusal(() => bind("PATCH", "/shelves/s/books/7?book.title=x", call))).toBe(
      "400 The field book.title may not be given as a parameter here.",
    );
    expect(bind("PATCH", "/shelves/s/books/7?update_mask=title", call)).toMatchObject({
      shelf: "s",
      id: "7",
      updateMask: { paths: ["title"] },
    });
  });

  test("where the body is the whole message, known names are refused in the query", () => {
    const call = { contentType: "application/json", body: "{}" };
    expect(refusal(() => bind("POST", "/books?title=x", call))).toBe(
      "400 The field title may not be given in the query string.",
    );
    expect(refusal(() => bind("POST", "/books?author.age=1", call))).toBe(
      "400 The field author may not be given in the query string.",
    );
    expect(refusal(() => bind("POST", "/books?nope=x", call))).toBe(unknown);
    expect(refusal(() => bind("POST", "/sign-in?user_name=x", call))).toBe(
      "400 The field user_name may not be given in the query string.",
    );
    expect(refusal(() => bind("POST", "/sign-in?password=", call))).toBe(
      "400 The field password may not be given in the query string.",
    );
    expect(refusal(() => bind("POST", "/sign-in?nope=x", call))).toBe("nothing was refused");
  });
});

describe("path variables", () => {
  test("hold numbers and enums", () => {
    expect(bind("GET", "/editions/3/FORMAT_EBOOK")).toEqual(
      create(GetEditionRequestSchema, { number: 3, format: Format.EBOOK }),
    );
    expect(bind("GET", "/editions/-3/1")).toMatchObject({ number: -3, format: Format.PAPER });
  });

  test.each([
    ["/editions/x/1", "400 The field number does not hold a valid value."],
    ["/editions/1/x", "400 The field format does not hold a valid value."],
    ["/editions/%00/1", "400 The field number does not hold a valid value."],
  ])("%s is refused", (path, expected) => {
    expect(refusal(() => bind("GET", path))).toBe(expected);
  });
});
