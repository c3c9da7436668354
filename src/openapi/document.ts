import { type DescService, getOption, type JsonObject } from "@bufbuild/protobuf";
import { access, oauth_parameters } from "../gen/countersign/v1/options_pb.ts";
import type { Binding } from "../transcoding/binding.ts";
import { createTranscoder } from "../transcoding/transcoder.ts";
import { exampleAddress } from "../web/example-address.ts";
import { cookieParameters, setCookieHeader } from "./cookies.ts";
import { createFailureResponses } from "./failure-responses.ts";
import { introduction } from "./introduction.ts";
import { createMessageSchemas } from "./message-schemas.ts";
import { createOperation, tagOf } from "./operations.ts";
import { pathOf } from "./parameters.ts";
import { problemSchema } from "./problem-schema.ts";
import { readComment } from "./read-comment.ts";
import { securitySchemes } from "./security.ts";

/**
 * The OpenAPI 3.1 document of services: every binding of google.api.http is an operation.
 *
 * @param services with their source info, which the descriptions come from; those without bindings are left out
 * @param version of the service
 * @throws Error that names what OpenAPI cannot express
 */
export function createDocument(services: readonly DescService[], version: string): JsonObject {
  // Services that anyone can call come first.
  const ordered = services.toSorted((a, b) => Number(isForAnyone(b)) - Number(isForAnyone(a)));
  const { bindings } = createTranscoder({
    services: ordered,
    isLenient: (message) => getOption(message, oauth_parameters),
  });
  const bound = ordered.filter((service) => bindings.some(({ method }) => method.parent === service));
  const schemas = createMessageSchemas();
  const failures = createFailureResponses();
  const paths = createPaths(bindings, (binding, id) => createOperation(binding, id, { schemas, failures }));
  return {
    openapi: "3.1.0",
    info: {
      title: "Countersign",
      version,
      description: introduction,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: exampleAddress }],
    tags: bound.map((service) => ({
      name: tagOf(service.name),
      description: `${readComment(service).summary}.`,
    })),
    paths,
    components: {
      securitySchemes,
      schemas: { ...schemas.components(), ProblemDetail: problemSchema },
      headers,
      parameters: cookieParameters,
      ...failures.components(),
    },
  };
}

/** Whether a service has something that anyone may call. */
function isForAnyone({ methods }: DescService): boolean {
  return methods.some((method) => getOption(method, access).rule.case === "anyone");
}

const headers: JsonObject = {
  "Set-Cookie": setCookieHeader,
  Allow: { description: "The methods that the path accepts.", schema: { type: "string" } },
  "Retry-After": { description: "Seconds to wait before trying again.", schema: { type: "integer" } },
  "WWW-Authenticate": {
    description: "How to authenticate: `Bearer`, or `Basic` for a caller who sent `Basic`.",
    schema: { type: "string" },
  },
};

function createPaths(
  bindings: readonly Binding[],
  create: (binding: Binding, id: string) => JsonObject,
): JsonObject {
  const paths: Record<string, JsonObject> = {};
  const ids = new Set<string>();
  for (const binding of bindings) {
    const path = (paths[pathOf(binding)] ??= {});
    path[binding.httpMethod.toLowerCase()] = create(binding, freshId(binding.method.localName, ids));
  }
  return paths;
}

/** An RPC's name; its additional bindings, and an RPC of another service with that name, have a number behind it. */
function freshId(name: string, ids: Set<string>): string {
  let id = name;
  for (let count = 2; ids.has(id); count += 1) id = `${name}${count}`;
  ids.add(id);
  return id;
}
