import { readFileSync } from "node:fs";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import type { ConnectionTarget, Host, TlsSettings } from "./connection-string.ts";
import { isNetworkError } from "./failures.ts";

/** One way to connect: a host, with or without TLS. */
export interface Route {
  readonly host: string;
  readonly port: number;
  readonly ssl: false | ConnectionOptions;
}

/** The ways to connect, and the one that is in use. */
export interface Routes {
  readonly count: number;
  readonly hostCount: number;
  current(): Route;
  /** Returns to a way that has answered. */
  use(route: Route): void;
  /**
   * Moves to the next way, unless another caller has done so since `failed` was read. A host that does
   * not answer is left at once; one that refused TLS is tried in plain text where sslmode is prefer.
   */
  advance(failed: Route, error: unknown): Route;
}

/** @throws Error when a certificate's file cannot be read */
export function createRoutes(target: ConnectionTarget): Routes {
  const files = readTlsFiles(target.tls);
  const routes = target.hosts.flatMap((host) => routesOf(host, target.tls, files));
  let index = 0;
  const at = (position: number): Route => {
    const route = routes[position % routes.length];
    if (route === undefined) {
      throw new Error("A connection target has no host.");
    }
    return route;
  };
  return {
    count: routes.length,
    hostCount: target.hosts.length,
    current: () => at(index),
    use(route) {
      index = Math.max(0, routes.indexOf(route));
    },
    advance(failed, error) {
      if (failed === at(index)) {
        const isSameHost = at(index + 1).host === failed.host && at(index + 1).port === failed.port;
        const isSkipped = isSameHost && failed.ssl !== false && isNetworkError(error);
        index = (index + (isSkipped ? 2 : 1)) % routes.length;
      }
      return at(index);
    },
  };
}

function routesOf({ host, port }: Host, tls: TlsSettings, files: ConnectionOptions): Route[] {
  const plain: Route = { host, port, ssl: false };
  if (tls.mode === "disable" || host.startsWith("/")) {
    return [plain];
  }
  const isVerified = tls.mode === "verify-ca" || tls.mode === "verify-full";
  const encrypted: Route = {
    host,
    port,
    ssl: {
      ...files,
      rejectUnauthorized: isVerified,
      // Set explicitly, since over an existing socket Node would compare an address with "localhost".
      checkServerIdentity: (_name, certificate) =>
        tls.mode === "verify-full" ? checkServerIdentity(host, certificate) : undefined,
    },
  };
  return tls.mode === "prefer" ? [encrypted, plain] : [encrypted];
}

function readTlsFiles(tls: TlsSettings): ConnectionOptions {
  const read = (file: string | null) => (file === null ? undefined : readFileSync(file, "utf8"));
  const [ca, cert, key] = [read(tls.rootCertFile), read(tls.certFile), read(tls.keyFile)];
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
