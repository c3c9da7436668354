import type { PathTemplate } from "./template.ts";

/** A route that the trie finds: an HTTP method, a template, and who declared it. */
export interface Route {
  /** An HTTP method, or `*` for every method. */
  readonly httpMethod: string;
  readonly template: PathTemplate;
  /** The RPC, for messages at start. */
  readonly owner: string;
}

/** The routes of one path, by method. */
export interface RouteSet<R extends Route> {
  /** By HTTP method; HEAD stands for GET's route where it has none of its own. */
  readonly byMethod: ReadonlyMap<string, R>;
  /** The route for every method, where there is one. */
  readonly anyMethod: R | undefined;
  /** The methods for an Allow header, sorted: HEAD where GET is, and OPTIONS. */
  readonly allow: readonly string[];
}

/**
 * Where a walk stands after some segments. All choices between literals, `*` and `**` were made when
 * the routes were compiled, so that a walk looks up one map entry per segment and never goes back.
 */
export interface RouteState<R extends Route> {
  readonly literals: ReadonlyMap<string, RouteState<R>>;
  /** The state after any other segment; null when nothing can match any more. */
  readonly other: RouteState<R> | null;
  /** The routes that end here, by verb; the empty verb for none. */
  readonly ends: ReadonlyMap<string, RouteSet<R>>;
}

interface Node<R> {
  readonly id: number;
  readonly literals: Map<string, Node<R>>;
  any: Node<R> | null;
  /** Taken by `**` from here on: it has no children but itself. */
  rest: Node<R> | null;
  readonly isRest: boolean;
  /** By verb, then by method. */
  readonly routes: Map<string, Map<string, R>>;
}

/**
 * Compiles routes. Where several match a path, a literal goes before `*` and `*` before `**`, at the
 * earliest segment in which they differ; a route that does not take the request's method does not
 * hide one that does.
 *
 * @throws Error that names both RPCs when two routes have the same method and the same shape
 */
export function compileRoutes<R extends Route>(routes: readonly R[]): RouteState<R> {
  let count = 0;
  const createNode = (isRest: boolean): Node<R> => ({
    id: count++,
    literals: new Map(),
    any: null,
    rest: null,
    isRest,
    routes: new Map(),
  });
  const root = createNode(false);
  for (const route of routes) {
    insertRoute(root, route, createNode);
  }
  return createState(withRest([root]), new Map());
}

function insertRoute<R extends Route>(
  root: Node<R>,
  route: R,
  createNode: (isRest: boolean) => Node<R>,
): void {
  let node = root;
  for (const segment of route.template.segments) {
    if (segment.kind === "any") {
      node = node.any ??= createNode(false);
    } else if (segment.kind === "rest") {
      node = node.rest ??= createNode(true);
    } else {
      node = getOrInsert(node.literals, segment.text, () => createNode(false));
    }
  }
  const byMethod = getOrInsert(node.routes, route.template.verb ?? "", () => new Map<string, R>());
  const other = byMethod.get(route.httpMethod);
  if (other !== undefined) {
    throw new Error(`${other.owner} and ${route.owner} are bound to the same method and path`);
  }
  byMethod.set(route.httpMethod, route);
}

/** The states are sets of nodes, best first; equal sets share one state. */
function createState<R extends Route>(
  nodes: readonly Node<R>[],
  states: Map<string, RouteState<R>>,
): RouteState<R> {
  const key = nodes.map((node) => node.id).join();
  const known = states.get(key);
  if (known !== undefined) {
    return known;
  }
  const literals = new Map<string, RouteState<R>>();
  const state = { literals, other: null as RouteState<R> | null, ends: collectEnds(nodes) };
  // Registered before it is filled: a state after `**` leads to itself.
  states.set(key, state);
  for (const literal of new Set(nodes.flatMap((node) => [...node.literals.keys()]))) {
    literals.set(literal, createState(stepAll(nodes, literal), states));
  }
  const others = stepAll(nodes, null);
  state.other = others.length === 0 ? null : createState(others, states);
  return state;
}

function stepAll<R>(nodes: readonly Node<R>[], literal: string | null): Node<R>[] {
  return withRest(
    nodes.flatMap((node) => {
      if (node.isRest) {
        return [node];
      }
      const next = literal === null ? undefined : node.literals.get(literal);
      return [next, node.any].filter((child) => child !== undefined && child !== null);
    }),
  );
}

/** Puts each node's `**` right behind the node: it matches no further segment as well. */
function withRest<R>(nodes: readonly Node<R>[]): Node<R>[] {
  return nodes.flatMap((node) => (node.rest === null ? [node] : [node, node.rest]));
}

function collectEnds<R extends Route>(nodes: readonly Node<R>[]): Map<string, RouteSet<R>> {
  const merged = new Map<string, Map<string, R>>();
  for (const node of nodes) {
    for (const [verb, byMethod] of node.routes) {
      const target = getOrInsert(merged, verb, () => new Map<string, R>());
      for (const [method, route] of byMethod) {
        getOrInsert(target, method, () => route);
      }
    }
  }
  return new Map([...merged].map(([verb, byMethod]) => [verb, createRouteSet(byMethod)]));
}

function createRouteSet<R extends Route>(routes: ReadonlyMap<string, R>): RouteSet<R> {
  const byMethod = new Map(routes);
  const anyMethod = byMethod.get("*");
  byMethod.delete("*");
  const get = byMethod.get("GET");
  if (get !== undefined) {
    getOrInsert(byMethod, "HEAD", () => get);
  }
  return { byMethod, anyMethod, allow: [...new Set([...byMethod.keys(), "OPTIONS"])].toSorted() };
}

function getOrInsert<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  const present = map.get(key);
  if (present !== undefined) {
    return present;
  }
  const created = create();
  map.set(key, created);
  return created;
}
