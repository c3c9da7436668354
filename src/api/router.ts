import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  createMethodImplSpec,
  type Interceptor,
  type MethodImplSpec,
  type ServiceImpl,
} from "@connectrpc/connect";
import { type GivenRules, type MethodRules, readMethodRules, type RulesOfMethods } from "./method-rules.ts";

/** One service of the table. */
export interface ServiceEntry<Service extends DescService = DescService> {
  readonly service: Service;
  readonly impl: ServiceImpl<Service>;
  /** The rules of RPCs of another project, whose protos cannot hold them. */
  readonly rules?: GivenRules;
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
  rules?: GivenRules,
): ServiceEntry {
  return { service, impl, ...(rules === undefined ? {} : { rules }) };
}

/**
 * Builds the table of RPCs.
 *
 * @param createGuards makes what every call passes, from the rules of all RPCs
 * @throws Error if an RPC does not say who may call it or how often, or could put a secret into a URL
 */
export function createRpcTable(
  entries: readonly ServiceEntry[],
  createGuards: (rules: RulesOfMethods) => readonly Interceptor[],
): RpcTable {
  const rules = new Map<DescMethod, MethodRules>();
  const byPath = new Map<string, MethodImplSpec>();
  const byMethod = new Map<DescMethod, MethodImplSpec>();
  for (const { service, impl, rules: given } of entries) {
    for (const method of service.methods) {
      rules.set(method, readMethodRules(method, given));
      const spec = createMethodImplSpec(method, impl[method.localName] as never);
      byPath.set(`/${service.typeName}/${method.name}`, spec);
      byMethod.set(method, spec);
    }
  }
  return {
    services: entries.map((entry) => entry.service),
    byPath,
    byMethod,
    interceptors: createGuards(rules),
  };
}
