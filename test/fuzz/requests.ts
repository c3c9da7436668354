import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { http } from "../../src/gen/google/api/annotations_pb.ts";
import { anyBinary, anyEnvelopes, anyForm, anyJson, damage, type Dictionary } from "./bodies.ts";
import { anyFields, anyMediaType, type Field } from "./headers.ts";
import type { Random } from "./random.ts";
import { anyText, plainText } from "./texts.ts";

/** A request, before it is written in a version of HTTP. */
export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  /** Lower-case names; without Host and what frames the body. */
  readonly fields: readonly Field[];
  readonly body: Buffer;
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PURGE", "get", "BREW"];
const otherPaths = [
  "/",
  "/livez",
  "/readyz",
  "/healthz",
  "/problems/not_found",
  "/problems/",
  "*",
  "//",
  "/%",
  "/.",
];

/** Makes requests by the grammar of the services' descriptors. */
export function createRequests(
  services: readonly DescService[],
): (random: Random, words: Dictionary) => FuzzRequest {
  const rpcs = services.flatMap((service) => service.methods);
  const bound = rpcs.filter((method) => hasOption(method, http));
  return (random, given) => {
    const words = { ...given, careful: random.chance(0.4) };
    const kind = random.below(10);
    if (kind < 5) return restRequest(random, random.pick(bound), words);
    if (kind < 9) return rpcRequest(random, random.pick(rpcs), words);
    return otherRequest(random, words);
  };
}

function restRequest(random: Random, method: DescMethod, words: Dictionary): FuzzRequest {
  const rule = getOption(method, http);
  const { pattern } = random.pick([rule, ...rule.additionalBindings]);
  const template = pattern.case === "custom" ? pattern.value.path : (pattern.value ?? "/");
  const verb = pattern.case === "custom" ? pattern.value.kind : (pattern.case ?? "get").toUpperCase();
  const isForm = random.chance(0.5);
  const text = isForm ? anyForm(random, method.input, words) : anyJson(random, method.input, words);
  const type = isForm ? "application/x-www-form-urlencoded" : "application/json";
  const takesBody = rule.body !== "" || random.chance(0.1);
  const hasQuery = rule.body === "" ? random.chance(0.7) : random.chance(0.1);
  const query = hasQuery ? `?${anyForm(random, method.input, words)}` : "";
  return {
    method: random.chance(0.9) ? verb : random.pick(methods),
    target: fillTemplate(random, template) + query,
    fields: [
      ...(takesBody ? [["content-type", random.chance(0.9) ? type : anyMediaType(random)] as const] : []),
      ...anyFields(random, words),
    ],
    body: takesBody ? damage(random, Buffer.from(text), words) : Buffer.alloc(0),
  };
}

function fillTemplate(random: Random, template: string): string {
  const filled = template.replaceAll(/\{[^}]*\}/g, () => {
    const text = random.chance(0.5) ? plainText(random) : anyText(random);
    return random.chance(0.9) ? encodeURIComponent(text.toWellFormed()) : text;
  });
  return random.chance(0.95) ? filled : filled + random.pick(["/", "//", "%2f", "/..", ":x", "%00", ";a=b"]);
}

const rpcTypes = [
  "application/json",
  "application/proto",
  "application/grpc",
  "application/grpc+json",
  "application/grpc-web",
  "application/grpc-web+json",
  "application/connect+json",
  "application/connect+proto",
] as const;

function rpcRequest(random: Random, method: DescMethod, words: Dictionary): FuzzRequest {
  const type = random.pick(rpcTypes);
  const message = type.endsWith("json")
    ? Buffer.from(anyJson(random, method.input, words))
    : anyBinary(random, method.input, words);
  const isFramed = type.includes("grpc") || type.includes("connect");
  const body = damage(random, isFramed ? anyEnvelopes(random, message) : message, words);
  const path = `/${method.parent.typeName}/${random.chance(0.95) ? method.name : plainText(random)}`;
  const fields: Field[] = [["content-type", random.chance(0.93) ? type : anyMediaType(random)]];
  if (type.includes("grpc")) fields.push(["te", "trailers"]);
  fields.push(...anyFields(random, words));
  if (random.chance(0.1)) {
    const message64 = message.toString("base64url");
    const query = `?connect=v1&encoding=${random.pick(["json", "proto", ""])}&base64=1&message=${message64}`;
    return { method: "GET", target: path + query, fields: fields.slice(1), body: Buffer.alloc(0) };
  }
  return { method: random.chance(0.97) ? "POST" : random.pick(methods), target: path, fields, body };
}

function otherRequest(random: Random, words: Dictionary): FuzzRequest {
  const made = `/${random.many(4, () => (random.chance(0.5) ? plainText(random) : encodeURIComponent(anyText(random).toWellFormed()))).join("/")}`;
  return {
    method: random.pick(methods),
    target:
      (random.chance(0.5) ? random.pick(otherPaths) : made) +
      (random.chance(0.2) ? `?${plainText(random)}` : ""),
    fields: anyFields(random, words),
    body: random.chance(0.2) ? random.bytes(random.below(200)) : Buffer.alloc(0),
  };
}
