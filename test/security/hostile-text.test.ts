import type { ClientHttp2Session } from "node:http2";
import {
  type DescField,
  type DescMethod,
  fromJson,
  type JsonObject,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { foldName } from "../../src/lib/fold.ts";
import { normalizePassword } from "../../src/domain/password/password-rules.ts";
import { longTimeoutMs } from "../_harness/figures.ts";
import * as given from "../_harness/given.ts";
import { readMetric } from "../_harness/metrics.ts";
import { restCallOf, services } from "../_harness/rest-call.ts";
import { bearerOf } from "../_harness/rest.ts";
import { startService, type TestService } from "../_harness/service.ts";
import { envelope, grpcOutcome, http2Request, withHttp2 } from "./rpc-calls.ts";
import { expectUnharmed } from "./unharmed.ts";

/** Of one request's text, a little under what a body may have. */
const textBytes = 64_000;
/** What the contract lets a password have before it is normalized. */
const passwordBytes = 4_000;
/** A path and query may have 8,192 bytes; each of a text's may take three there. */
const urlTextBytes = 2_600;
/** The work of one request: most take 1 or 2 ms, and a text that is normalized whole takes 400 and more. */
const cpuMsMax = 40;

/** What has made somebody's work grow faster than its input. */
const hostileTexts: Readonly<Record<string, (bytes: number) => string>> = {
  "marks in the wrong order": (bytes) => `a${"\u0345".repeat(bytes / 4)}${"\u0334".repeat(bytes / 4)}`,
  "marks that stand for two": (bytes) => `a${"\u0344".repeat(bytes / 4)}${"\u0334".repeat(bytes / 4)}`,
  "a letter that stands for 18": (bytes) => "\ufdfa".repeat(bytes / 3),
  spaces: (bytes) => `${" ".repeat(bytes - 1)}x`,
  "short words": (bytes) => "a ".repeat(bytes / 2),
  "at signs": (bytes) => "a@".repeat(bytes / 2),
  dots: (bytes) => ".".repeat(bytes),
  digits: (bytes) => "9".repeat(bytes),
  "a long label": (bytes) => `a@xn--${"9".repeat(bytes - 8)}`,
};

let service: TestService;
let token: string;
beforeAll(async () => {
  service = await startService();
  token = (await given.session(service, { user: service.admin })).access_token;
}, longTimeoutMs);
afterAll(() => service.stop());

/** How much of a processor the service takes for each of these requests, in milliseconds. */
async function cpuMsOf(requests: readonly (() => Promise<unknown>)[]): Promise<number> {
  const cpuSeconds = () => readMetric(service, "process_cpu_seconds_total");
  const before = await cpuSeconds();
  for (const request of requests) await request();
  return (1000 * ((await cpuSeconds()) - before)) / requests.length;
}

function isText(field: DescField): boolean {
  return field.scalar === ScalarType.STRING;
}

const neededFields = new Set(["username", "password", "current_password", "new_password", "token"]);

/** A request that is right but for one field. */
function inputWith(method: DescMethod, field: DescField, text: string): JsonObject {
  const input: JsonObject = {};
  for (const { name } of method.input.fields) {
    if (neededFields.has(name)) input[name] = "x";
    if (name === "grant_type") input[name] = field.name === "refresh_token" ? "refresh_token" : "password";
  }
  if (method.name === "Refresh") Object.assign(input, { grant_type: "refresh_token", refresh_token: "x" });
  return { ...input, [field.name]: field.fieldKind === "list" ? [text] : text };
}

function messageOf(method: DescMethod, input: JsonObject): Uint8Array {
  return toBinary(method.input, fromJson(method.input, input));
}

async function overRest(
  method: DescMethod,
  field: DescField,
  text: (bytes: number) => string,
): Promise<void> {
  const hasBody = restCallOf(method, {}).rest !== null;
  const input = inputWith(method, field, text(hasBody ? textBytes : urlTextBytes));
  const { rest, path, method: verb } = restCallOf(method, input);
  const answer = await fetch(service.url + path, {
    method: verb,
    headers: { "content-type": "application/json", ...authorization(method) },
    ...(rest === null ? {} : { body: JSON.stringify(rest) }),
  });
  await answer.arrayBuffer();
  expect(answer.status).toBeLessThan(500);
}

async function overGrpc(session: ClientHttp2Session, method: DescMethod, body: Uint8Array): Promise<void> {
  const headers = {
    ":method": "POST",
    ":path": `/${method.parent.typeName}/${method.name}`,
    "content-type": "application/grpc",
    te: "trailers",
    ...authorization(method),
  };
  const { code } = grpcOutcome(await http2Request(session, headers, envelope(body)));
  expect(["Ok", "InvalidArgument", "Unauthenticated", "PermissionDenied", "NotFound"]).toContain(code);
}

/** Logout takes a refresh token or a bearer: its own field is what is tried. */
function authorization({ name }: DescMethod): Record<string, string> {
  return name === "Logout" ? {} : bearerOf(token);
}

const textFields = [...services, Health]
  .flatMap(({ methods }) => methods)
  .filter(({ methodKind }) => methodKind === "unary")
  .flatMap((method) => method.input.fields.filter(isText).map((field) => [method, field] as const));

describe("64 KB of hostile text takes no more of a processor than other text:", () => {
  test.each(textFields.map(([method, field]) => [`${method.name}.${field.name}`, method, field] as const))(
    "%s",
    async (_name, method, field) => {
      await withHttp2(service.url, async (session) => {
        const requests = Object.values(hostileTexts).flatMap((text) => [
          ...[textBytes, passwordBytes].map((bytes) => {
            const body = messageOf(method, inputWith(method, field, text(bytes)));
            return () => overGrpc(session, method, body);
          }),
          ...(method.parent === Health ? [] : [() => overRest(method, field, text)]),
        ]);
        expect(await cpuMsOf(requests)).toBeLessThan(cpuMsMax);
      });
    },
    60_000,
  );

  test("and the service is as well as before", async () => {
    expect(textFields.length).toBeGreaterThan(30);
    await expectUnharmed(service);
  });
});

describe("a header field of 15 KB takes no more of a processor than other ones:", () => {
  const headerTexts: Readonly<Record<string, (bytes: number) => string>> = {
    spaces: (bytes) => `a${" ".repeat(bytes - 2)}x`,
    commas: (bytes) => "a,".repeat(bytes / 2),
    quotes: (bytes) => `a/b;c="${"\\".repeat(bytes - 10)}`,
    semicolons: (bytes) => "a=b;".repeat(bytes / 4),
    digits: (bytes) => "9".repeat(bytes),
    dots: (bytes) => "1.".repeat(bytes / 2),
  };
  const prefixes = {
    authorization: ["Bearer ", "Basic "],
    cookie: ["countersign_refresh="],
    accept: [""],
    "user-agent": [""],
    "x-forwarded-for": [""],
    "x-request-id": [""],
    traceparent: [""],
    "x-auth-mode": [""],
    origin: [""],
  };

  test.each(Object.entries(prefixes))("%s", async (name, starts) => {
    const requests = starts.flatMap((start) =>
      Object.values(headerTexts).map((text) => async () => {
        const answer = await fetch(`${service.url}/auth/refresh`, {
          method: "POST",
          headers: { [name]: start + text(15_000) },
          body: new URLSearchParams({ refresh_token: "x" }),
        });
        await answer.arrayBuffer();
        expect(answer.status).toBeLessThan(500);
      }),
    );
    expect(await cpuMsOf(requests)).toBeLessThan(cpuMsMax);
  });
});

describe("the functions that fold and normalize bound what they take, whoever calls them:", () => {
  test.each(Object.entries(hostileTexts))("%s", (_name, text) => {
    const before = process.cpuUsage();
    for (const size of [textBytes, 4_096, 2_048]) {
      foldName(text(size));
      normalizePassword(text(size));
    }
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(cpuMsMax);
  });
});
