import { connect as connectSocket, Socket } from "node:net";
import { Client, type ClientConfig, type QueryConfig, type QueryResult } from "pg";
import type { ConnectionTarget } from "./connection-string.ts";
import type { Route } from "./routes.ts";
import { setUpStatement } from "./session-settings.ts";

/** What a server is, as it says itself. */
export interface ServerState {
  readonly standby: boolean;
  readonly readonly: boolean;
}

/** A connection to a server, set up and checked. Nobody waits for it without an end of their own. */
export interface Connection {
  readonly state: ServerState;
  /** Whether a pooler stands between, which may serve each transaction by another session. */
  readonly isPooled: boolean;
  /** Whether it has ended, from either side. */
  readonly isOver: boolean;
  /** Whether a transaction has been left open. To be asked where nothing is under way. */
  readonly isInTransaction: boolean;
  /** All that was ever heard on it. */
  readonly bytesRead: number;
  /** What is not awaited is sent all the same: statements of one transaction share a round trip. */
  query(query: QueryConfig): Promise<QueryResult>;
  /** Asks the server, over a connection of its own, to end the statement under way. */
  cancel(): void;
  /** Ends it at once; what is under way fails. */
  destroy(): void;
  /** Says goodbye, and ends it. */
  close(): Promise<void>;
}

/** How connections are made. */
export interface ConnectOptions {
  readonly target: ConnectionTarget;
  /** From the first packet until the session is set up. */
  readonly connectTimeoutMs: number;
  /** The server's limit for a statement of the session. */
  readonly statementTimeoutMs: number;
  /** Called once, when it has ended, however that came. */
  onOver(connection: Connection): void;
}

const keepAliveMs = 10_000;
const goodbyeMs = 500;
const cancelTimeoutMs = 1_000;

/** @throws what pg throws; Error `timeout expired` where it takes too long */
export async function connect(route: Route, options: ConnectOptions): Promise<Connection> {
  const socket = new Socket();
  const client = new Client({ ...clientConfig(route, options.target), stream: () => socket });
  // Nobody listens between two statements, and an error that nobody hears ends the process.
  client.on("error", () => undefined);
  // Timers run before sockets are read, immediates after: what has arrived counts.
  const timer = setTimeout(() => {
    setImmediate(() => socket.destroy(new Error("timeout expired")));
  }, options.connectTimeoutMs);
  try {
    await client.connect();
    const { processId } = cancelKey(client);
    const setUp = setUpStatement(options.statementTimeoutMs, processId);
    const { rows } = await client.query<ServerState & { pooled: boolean }>(setUp);
    const [found] = rows;
    if (found === undefined) throw new Error("The server describes itself with no row.");
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
    // Said outright, since pg takes what is missing from PG* variables.
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
      // A server that hangs does not answer a goodbye either.
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

/** What the server said at the start (BackendKeyData). The types of pg do not tell of it. */
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
