import { type Command, UsageError } from "./command.ts";

/** `countersign worker`: one of the processes that serve, as the supervisor starts it. */
export const workerCommand: Command = {
  name: "worker",
  isHidden: true,
  operands: [],
  summary: "serve as one of several workers",
  details: ["The service starts it where WORKERS is more than 1."],
  options: {},
  async run() {
    if (process.send === undefined) throw new UsageError("The service starts this command: set WORKERS.");
    const { runWorker } = await import("../app/workers/worker.ts");
    await runWorker();
    return 0;
  },
};
