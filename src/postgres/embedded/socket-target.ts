import type { ConnectionTarget } from "../connection-string.ts";
import { serviceName } from "./init-cluster.ts";

/** Part of the socket file's name; nothing listens on this port. */
export const socketPort = 5432;

/** How the service's role reaches the embedded server: through the socket in this folder. */
export function socketTarget(folder: string, password: string): ConnectionTarget {
  return {
    hosts: [{ host: folder, port: socketPort }],
    user: serviceName,
    password,
    database: serviceName,
    tls: { mode: "disable", rootCertFile: null, certFile: null, keyFile: null },
    targetSessionAttrs: "read-write",
    applicationName: "countersign",
    serverOptions: null,
    connectTimeoutMs: null,
  };
}
