/** The kinds of a store's failure, in plain words, and what to do about each: docs/operations.md lists them. */
export const failureClasses = {
  "connection refused":
    "nothing listens there: start the server, or correct the host and port of the address",
  "connection lost":
    "the server ended the connection: its log says why. A Redis whose maxclients are used up does so",
  "timed out":
    "there is no answer in time: check whether it hangs or is overloaded, and whether a firewall blocks it",
  "host unreachable": "there is no route to the host: check the network",
  "host name not found": "correct the host in the address, or the name service",
  "socket or file not found": "correct the path in the address",
  "TLS failed":
    "correct what the address says of TLS (for PostgreSQL sslmode and sslrootcert), or the certificates",
  "the server speaks no TLS, which sslmode asks for": "let the server speak TLS, or correct sslmode",
  "sign-in refused":
    "correct the user and the password in the address, or what the server lets in (pg_hba.conf)",
  "no password given": "the server asks for a password: write one into the address",
  "permission denied": "give the user of the address the rights that docs/operations.md lists",
  "database does not exist": "create the database, or correct its name or number in the address",
  "tables missing": "run `countersign migrate`, or correct the name of the database in the address",
  "not accepting connections yet": "it is starting, or loading its data: wait",
  "shutting down": "it is being stopped: see by whom, and start it again",
  "out of connections":
    "all of its connections are in use: end some, raise its limit (max_connections, maxclients), or lower DATABASE_POOL_MAX",
  "read-only":
    "it takes no writes: it is a standby, or set read-only. Name the primary or all hosts in the address, or promote it",
  "the wrong kind of server": "no host is what target_session_attrs in the address asks for",
  "disk full": "make room on the disk of the server",
  "out of memory": "give the server more memory, or let it hold less",
  "cannot save": "Redis cannot write to its disk, and refuses writes for it: make room there, or see its log",
  "too few replicas": "Redis has fewer replicas than min-replicas-to-write asks for: start them",
  "primary is away":
    "the sentinels name no primary that answers, or a replica has lost it: start the primary",
  "cluster is down": "some slots of the cluster have no server: start it",
  "scripts not allowed": "Redis does not let the user run EVAL and EVALSHA: allow them",
  "busy with a script": "a slow script blocks Redis: SCRIPT KILL ends it",
  "waiting for a lock": "another client holds a lock for too long: pg_locks and pg_stat_activity show which",
  "transaction conflict": "other transactions changed the same rows: this resolves itself",
  "system error": "the server cannot read or write its files, or they are damaged: its log says more",
  "differs from the database's clock":
    "the clocks are more than 5 s apart: let the time service set the one that is wrong",
  "no worker is ready": "the other checks say why, or the log, if the workers end",
  "some workers are not ready": "the log says which have ended, and how. The others serve meanwhile",
  failed: "the kind of failure is unknown: see the log of the server",
} as const satisfies Readonly<Record<string, string>>;

/** One of them. */
export type FailureClass = keyof typeof failureClasses;
