import type { Connection, ServerState } from "./connection.ts";
import type { TargetSessionAttrs } from "./connection-string.ts";
import type { Route, Routes } from "./routes.ts";

/** A server that can be used. */
export interface Found {
  readonly connection: Connection;
  readonly route: Route;
  readonly takesWrites: boolean;
}

/**
 * Tries each way to connect once, beginning with the one that served last. If none is the right server, a read-only
 * primary serves reads.
 *
 * @throws the failure of the last one
 */
export async function search(options: {
  readonly routes: Routes;
  readonly targetSessionAttrs: TargetSessionAttrs;
  open(route: Route): Promise<Connection>;
}): Promise<Found> {
  const { routes, targetSessionAttrs } = options;
  let failure: unknown;
  let readable: Found | null = null;
  for (let attempt = 1; attempt <= routes.count; attempt += 1) {
    const route = routes.current();
    try {
      const connection = await options.open(route);
      if (isRightServer(targetSessionAttrs, connection.state)) {
        readable?.connection.destroy();
        return { route, connection, takesWrites: true };
      }
      failure = new Error(`The server is not ${targetSessionAttrs}.`);
      if (readable === null && isReadable(targetSessionAttrs, connection.state)) {
        readable = { route, connection, takesWrites: false };
      } else {
        void connection.close();
      }
    } catch (error) {
      failure = error;
    }
    routes.advance(route, failure);
  }
  if (readable === null) throw failure;
  routes.use(readable.route);
  return readable;
}

/** Whether a server is what target_session_attrs asks for. */
export function isRightServer(wanted: TargetSessionAttrs, found: ServerState): boolean {
  const answers: Record<TargetSessionAttrs, boolean> = {
    any: true,
    "read-write": !found.readonly,
    "read-only": found.readonly,
    primary: !found.standby,
    standby: found.standby,
  };
  return answers[wanted];
}

/**
 * Whether reads may be served from it while no server takes writes. Never a standby: it may be behind, and would accept
 * sessions that the primary has ended.
 */
export function isReadable(wanted: TargetSessionAttrs, { standby, readonly }: ServerState): boolean {
  return wanted === "read-write" && readonly && !standby;
}
