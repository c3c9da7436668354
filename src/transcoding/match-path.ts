import { decodePercent, decodePercentKeepingSlashes } from "./percent.ts";
import { RestError } from "./rest-error.ts";
import type { Route, RouteSet, RouteState } from "./route-trie.ts";
import type { TemplateVariable } from "./template.ts";

/** A route, and the decoded texts of its variables in the template's order. */
export interface FoundRoute<R extends Route> {
  readonly kind: "found";
  readonly route: R;
  readonly variables: readonly string[];
}

/** The result of matching a method and a path. */
export type RouteMatch<R extends Route> =
  | FoundRoute<R>
  /** OPTIONS on a path that is known: 204 with this Allow header. */
  | { readonly kind: "options"; readonly allow: readonly string[] }
  | { readonly kind: "method_not_allowed"; readonly allow: readonly string[] }
  | { readonly kind: "not_found" };

const notFound = { kind: "not_found" } as const;
const pathPattern = /^[!-~]*$/;

// RFC 9110 section 9.2.1: nothing is changed by these.
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Finds the route for a request. An empty segment matches nothing. One trailing slash is ignored, except if it may
 * stand for an empty variable and the method changes something: a change that was meant for one item must not hit the
 * whole collection. That is the case for DELETE if any route has a variable in its place, and for the other unsafe
 * methods if such a route has the method too.
 * The cost is linear in the path's length, whatever the number of routes.
 *
 * @param method the HTTP method, in its case (RFC 9110 section 9.1)
 * @param path the path as the caller sent it, percent-encoded, without the query string
 * @throws RestError 400 when the path holds anything but visible ASCII, or its percent-encoding is broken
 */
export function matchPath<R extends Route>(root: RouteState<R>, method: string, path: string): RouteMatch<R> {
  if (!pathPattern.test(path)) {
    throw malformedPath();
  }
  requireDecoded(decodePercent(path));
  if (!path.startsWith("/")) {
    return notFound;
  }
  const hasSlash = path.length > 1 && path.endsWith("/");
  const segments = path.slice(1, hasSlash ? -1 : undefined).split("/");
  const verbal = splitVerb(segments);
  // The last colon may begin a verb or belong to a value: what the routes know decides.
  const verbSet = verbal && walk(root, verbal.segments)?.ends.get(verbal.verb);
  const verbRoute = verbSet && pick(verbSet, method);
  if (verbal && verbRoute) {
    return found(verbRoute, verbal.segments);
  }
  const plain = walk(root, segments);
  if (hasSlash && !safeMethods.has(method) && mayBeVariable(plain, method)) {
    return notFound;
  }
  const plainSet = plain?.ends.get("");
  const plainRoute = plainSet && pick(plainSet, method);
  return plainRoute ? found(plainRoute, segments) : refuse(method, verbSet, plainSet);
}

function splitVerb(segments: readonly string[]): { segments: string[]; verb: string } | undefined {
  const last = segments.at(-1) ?? "";
  const colon = last.lastIndexOf(":");
  const verb = last.slice(colon + 1);
  return colon === -1 || verb === ""
    ? undefined
    : {
        segments: [...segments.slice(0, -1), last.slice(0, colon)],
        verb: requireDecoded(decodePercent(verb)),
      };
}

function walk<R extends Route>(root: RouteState<R>, segments: readonly string[]): RouteState<R> | undefined {
  let state = root;
  for (const segment of segments) {
    const next =
      segment === "" ? null : (state.literals.get(requireDecoded(decodePercent(segment))) ?? state.other);
    if (next === null) {
      return undefined;
    }
    state = next;
  }
  return state;
}

/** Whether the next segment may be a variable, or a wildcard, that ends a route for the method. */
function mayBeVariable<R extends Route>(state: RouteState<R> | undefined, method: string): boolean {
  const set = state?.other?.ends.get("");
  return set !== undefined && (method === "DELETE" || pick(set, method) !== undefined);
}

function pick<R extends Route>(set: RouteSet<R>, method: string): R | undefined {
  return set.byMethod.get(method) ?? (method === "OPTIONS" ? undefined : set.anyMethod);
}

function found<R extends Route>(route: R, segments: readonly string[]): FoundRoute<R> {
  const variables = route.template.variables.map((variable) => readVariable(variable, segments));
  return { kind: "found", route, variables };
}

function readVariable(variable: TemplateVariable, segments: readonly string[]): string {
  if (variable.end === variable.start + 1) {
    return requireDecoded(decodePercent(segments[variable.start] ?? ""));
  }
  const text = segments.slice(variable.start, variable.end ?? undefined).join("/");
  return requireDecoded(decodePercentKeepingSlashes(text));
}

function refuse<R extends Route>(
  method: string,
  verbSet: RouteSet<R> | undefined,
  plainSet: RouteSet<R> | undefined,
): RouteMatch<R> {
  if (verbSet === undefined && plainSet === undefined) {
    return notFound;
  }
  const allow = [...new Set([...(verbSet?.allow ?? []), ...(plainSet?.allow ?? [])])].toSorted();
  return { kind: method === "OPTIONS" ? "options" : "method_not_allowed", allow };
}

function requireDecoded(text: string | null): string {
  if (text === null) {
    throw malformedPath();
  }
  return text;
}

function malformedPath(): RestError {
  return new RestError(400, "The path is not well-formed.");
}
