import { type DescMethod, getOption, type JsonObject } from "@bufbuild/protobuf";
import { access } from "../gen/countersign/v1/options_pb.ts";
import { cookieWayOf } from "./cookies.ts";
import { exampleAddress } from "../web/example-address.ts";

/** The ways in which a caller can authenticate. */
export const securitySchemes: JsonObject = {
  password: {
    type: "oauth2",
    description:
      "Signs a user in with a name and a password. Leave client_id and client_secret empty for the built-in client.",
    flows: {
      password: {
        tokenUrl: `${exampleAddress}/auth/login`,
        refreshUrl: `${exampleAddress}/auth/refresh`,
        scopes: {},
      },
    },
  },
  bearer: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "An access token that you have already: the `access_token` of a login.",
  },
  client: {
    type: "http",
    scheme: "basic",
    description:
      "A registered client's id and secret, both form-encoded (RFC 6749 section 2.3.1). The parameters client_id and client_secret can be sent instead.",
  },
  cookie: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-countersign_refresh",
    description:
      "The refresh token of a browser that asks for cookies by the header field `X-Auth-Mode`. The browser keeps and sends it by itself.",
  },
};

/** Who may call an RPC (its access option), as alternatives; an empty one means that nothing is needed. */
export function securityOf(method: DescMethod): JsonObject[] {
  const { rule } = getOption(method, access);
  const client = [
    ...(takesClient(method) ? [{}, { client: [] }] : []),
    ...(cookieWayOf(method)?.takesSession === true ? [{ cookie: [] }] : []),
  ];
  if (rule.case === "permission") return [{ password: [] }, { bearer: [] }];
  if (rule.case !== "bearer") return client;
  const { scopes, unlessField } = rule.value;
  const token = [{ password: scopes }, { bearer: [] }];
  return unlessField === "" ? token : [...token, ...client];
}

function takesClient(method: DescMethod): boolean {
  const names = method.input.fields.map(({ name }) => name);
  return names.includes("client_id") && names.includes("client_secret");
}
