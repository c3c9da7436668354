import type { Command } from "./command.ts";

/** `countersign serve`: runs the service until a signal ends it. */
export const serveCommand: Command = {
  name: "serve",
  operands: [],
  summary: "run the service",
  details: [
    "Without any configuration it starts an embedded PostgreSQL under .countersign, makes",
    "a first user, and shows how to sign in. SIGTERM and Ctrl-C stop it in order; a second",
    "one ends it at once.",
  ],
  options: {},
  async run() {
    const { runService } = await import("./run-service.ts");
    return runService();
  },
};
