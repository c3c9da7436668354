import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  createMethodImplSpec,
  type Interceptor,
  type MethodImplSpec,
  type ServiceImpl,
} from "@connectrpc/connect";
import type { AuthenticateBearer } from "../domain/token/authenticate-bearer.ts";
import { type Access, access } from "../gen/countersign/v1/options_pb.ts";
import { authorize } from "./guards/authorize.ts";
import { cacheControl } from "./guards/cache-control.ts";
import { type CookieAuth, cookies } from "./guards/cookies.ts";
import { deadline } from "./guards/deadline.ts";
import { validate } from "./guards/validate.ts";
import { hasRedactedField } from "./redaction.ts";

/** One service of the table. */
export interface ServiceEntry<Service extends DescService = DescService> {
  readonly service: Service;
  readonly impl: ServiceImpl<Service>;
  /** Who may call RPCs whose proto cannot say it, being somebody else's. */
  readonly access?: Access;
}

/** Everything that can be called, and what every call passes, whatever protocol it comes by. */
export interface RpcTable {
  readonly services: readonly DescService[];
  /** By request path: `/package.Service/Method`. */
  readonly byPath: ReadonlyMap<string, MethodImplSpec>;
  readonly byMethod: ReadonlyMap<DescMethod, MethodImplSpec>;
  /** In the order in which a call passes them. */
  readonly interceptors: readonly Interceptor[];
}

/** Ties a service to its implementation, with their types matched. */
export function serve<Service extends DescService>(
  service: Service,
  impl: ServiceImpl<Service>,
  access?: Access,
): ServiceEntry {
  return { service, impl, ...(access === undefined ? {} : { access }) };
}

/**
 * Builds the table of RPCs.
 *
 * @param limits what limits the callers, before anything is asked of a store for them
 * @param cookieAuth null where refresh tokens never travel in cookies
 * @throws where an RPC does not say who may call it, or could put a secret into a URL
 */
export function createRpcTable(
  entries: readonly ServiceEntry[],
  authenticate: AuthenticateBearer,
  limits: readonly Interceptor[],
  cookieAuth: CookieAuth | null,
): RpcTable {
  const accessOf = new Map<DescMethod, Access>();
  const byPath = new Map<string, MethodImplSpec>();
  const byMethod = new Map<DescMethod, MethodImplSpec>();
  for (const { service, impl, access: given } of entries) {
    for (const method of service.methods) {
      const name = `${service.typeName}/${method.name}`;
      const rule = given ?? readAccess(method);
      if (rule?.rule.case === undefined) throw new Error(`${name} does not say who may call it`);
      refuseSecretsInUrls(method, name);
      refuseUnknownProof(method, rule, name);
      const implementation = impl[method.localName];
      const spec = createMethodImplSpec(method, implementation as never);
      accessOf.set(method, rule);
      byPath.set(`/${name}`, spec);
      byMethod.set(method, spec);
    }
  }
  return {
    services: entries.map((entry) => entry.service),
    byPath,
    byMethod,
    interceptors: [
      cacheControl(accessOf),
      deadline,
      // Before the limits, which ask for the device token that may be in a cookie.
      ...(cookieAuth === null ? [] : [cookies(cookieAuth, byMethod.keys())]),
      ...limits,
      authorize(accessOf, authenticate),
      validate(),
    ],
  };
}

function readAccess(method: DescMethod): Access | undefined {
  return hasOption(method, access) ? getOption(method, access) : undefined;
}

/** Connect lets RPCs without side effects be called by GET, with the message in the URL. */
function refuseSecretsInUrls(method: DescMethod, name: string): void {
  const byGet = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  if (byGet && (hasRedactedField(method.input) || hasRedactedField(method.output))) {
    throw new Error(
      `${name} is marked NO_SIDE_EFFECTS, which opens it to GET, but has a field marked debug_redact`,
    );
  }
}

/** A field that would be taken in a token's place has to be there, and to be a secret. */
function refuseUnknownProof(method: DescMethod, { rule }: Access, name: string): void {
  const proof = rule.case === "bearer" ? rule.value.unlessField : "";
  const field = method.input.fields.find((candidate) => candidate.name === proof);
  if (proof !== "" && field?.proto.options?.debugRedact !== true) {
    throw new Error(`${name} takes the field ${proof} as proof, which is not a field marked debug_redact`);
  }
}
