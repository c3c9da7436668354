import { connect as connectSocket, Socket } from "node:net";
import { Client, type ClientConfig, type QueryConfig, type QueryResult } from "pg";
import type { ConnectionTarget } from "./connection-string.ts";
import type { Route } from "./routes.ts";
import { setUpStatement } from "./session-settings.ts";

/** What a server says about itself. */
export interface ServerState {
  readonly standby: boolean;
  readonly readonly: boolean;
}

/** A connection to a server, set up and checked. Its callers bring their own time limits. */
export interface Connection {
  readonly state: ServerState;
  /** Whether there is a pooler in between, which may use another session for each transaction. */
  readonly isPooled: boolean;
  /** Whether it has ended, from either side. */
  readonly isOver: boolean;
  /** Whether a transaction has been left open. Ask only when no statement is running. */
  readonly isInTransaction: boolean;
  /** How many bytes it has received in all. */
  readonly bytesRead: number;
  /** Sends at once, even if not awaited: statements of one transaction can share a round trip. */
  query(query: QueryConfig): Promise<QueryResult>;
  /** Asks the server, over another connection, to cancel the running statement. */
  cancel(): void;
  /** Closes it at once; running statements fail. */
  destroy(): void;
  /** Closes it in order, by telling the server. */
  close(): Promise<void>;
}

/** How connections are made. */
export interface ConnectOptions {
  readonly target: ConnectionTarget;
  /** From the first packet until the session is set up. */
  readonly connectTimeoutMs: number;
  /** The server's limit for a statement of the session. */
  readonly statementTimeoutMs: number;
  /** Called once, when it has ended, for whatever reason. */
  onOver(connection: Connection): void;
}

const keepAliveMs = 10_000;
const goodbyeMs = 500;
const cancelTimeoutMs = 1_000;

/** @throws what pg throws; Error `timeout expired` if it takes too long */
export async function connect(route: Route, options: ConnectOptions): Promise<Connection> {
  const socket = new Socket();
  const client = new Client({ ...clientConfig(route, options.target), stream: () => socket });
  // Between two statements there would be no listener, and an error event without one ends the process.
  client.on("error", () => undefined);
  // Timers run before sockets are read, immediates after: an answer that has already arrived counts.
  const timer = setTimeout(() => {
    setImmediate(() => socket.destroy(new Error("timeout expired")));
  }, options.connectTimeoutMs);
  try {
    await client.connect();
    const { processId } = cancelKey(client);
    const setUp = setUpStatement(options.statementTimeoutMs, processId);
    const { rows } = await client.query<ServerState & { pooled: boolean }>(setUp);
    const [found] = rows;
    if (found === undefined) throw new Error("The server returned no row about itself.");
    return createConnection(client, socket, route, found, options);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

function clientConfig(route: Route, target: ConnectionTarget): ClientConfig {
  return {
    // Set explicitly, since pg takes missing values from PG* variables.
    ...route,
    user: target.user,
    ...(target.password === null ? {} : { password: target.password }),
    database: target.database,
    application_name: target.applicationName,
    ...(target.serverOptions === null ? {} : { options: target.serverOptions }),
    pipeline: true,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
  };
}

function createConnection(
  client: Client,
  socket: Socket,
  route: Route,
  found: ServerState & { readonly pooled: boolean },
  options: ConnectOptions,
): Connection {
  let isOver = false;
  const connection: Connection = {
    state: found,
    isPooled: found.pooled,
    get isOver() {
      return isOver;
    },
    get isInTransaction() {
      return client.getTransactionStatus() !== "I";
    },
    get bytesRead() {
      return socket.bytesRead;
    },
    query: (query) => client.query(query),
    cancel: () => sendCancel(route, cancelKey(client)),
    destroy: () => socket.destroy(),
    async close() {
      // A server that hangs does not close in order either.
      const timer = setTimeout(() => socket.destroy(), goodbyeMs);
      await client.end().catch(() => undefined);
      clearTimeout(timer);
    },
  };
  client.once("end", () => {
    isOver = true;
    options.onOver(connection);
  });
  return connection;
}

interface CancelKey {
  readonly processId: number;
  readonly secret: number;
}

/** The server's BackendKeyData, which the types of pg lack. */
function cancelKey(client: Client): CancelKey {
  const { processID, secretKey } = client as unknown as {
    processID: number | null;
    secretKey: number | null;
  };
  return { processId: processID ?? 0, secret: secretKey ?? 0 };
}

/** CancelRequest (PostgreSQL documentation, "Message Formats"). It is not answered. */
function sendCancel({ host, port }: Route, { processId, secret }: CancelKey): void {
  const request = Buffer.alloc(16);
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80_877_102, 4);
  request.writeInt32BE(processId, 8);
  request.writeInt32BE(secret, 12);
  const socket = host.startsWith("/") ? connectSocket(`${host}/.s.PGSQL.${port}`) : connectSocket(port, host);
  socket.on("error", () => undefined).setTimeout(cancelTimeoutMs, () => socket.destroy());
  socket.end(request);
}
