import type { ChildProcess } from "node:child_process";
import { AppError } from "../errors/app-error.ts";
import { endOf, firstMessage, forkApart } from "./fork-apart.ts";
import type { HashEngine } from "./hash-work.ts";
import type { Scheduling } from "./step-back.ts";
import type { WorkerReady, WorkerReply, WorkerRequest } from "./worker-messages.ts";

/** One process that hashes, from its start to its end. */
export interface WorkerProcess extends HashEngine {
  readonly pid: number;
  /** The name of the implementation of Argon2id. */
  readonly implementation: string;
  readonly scheduling: Scheduling;
  /** Resolves when it has ended, for whatever reason, with a description of how it ended. */
  readonly ended: Promise<string>;
  /** Ends it; running hashes are lost. */
  stop(): Promise<void>;
  /** Ends it when its hashes are done. Nothing may be asked of it any more. */
  retire(): Promise<void>;
}

interface Pending {
  resolve(hash: Uint8Array): void;
  reject(error: Error): void;
}

const retryAfterMs = 1_000;

/** What a process that hashes is started with. */
export interface WorkerOptions {
  /** Hashes at once. */
  readonly threads: number;
  /** The name of the implementation of Argon2id; null for the one that is usually the fastest. */
  readonly implementation: string | null;
  /** How far the threads that hash step back: 19 behind all else, 0 behind nothing. See stepBack. */
  readonly niceness: number;
}

/**
 * Starts a process that hashes with so many threads, and waits until it can. Passwords go over a channel of its own,
 * never by arguments or environment.
 *
 * @throws Error if it does not start
 */
export async function startWorkerProcess(options: WorkerOptions): Promise<WorkerProcess> {
  const { threads, implementation, niceness } = options;
  const child = forkApart("worker.ts", [implementation ?? "", String(niceness)], threads);
  const pending = new Map<number, Pending>();
  const ended = watchEnd(child, pending);
  const ready = await firstReport(child, ended);
  let whenIdle: (() => void) | null = null;
  child.on("message", (reply: WorkerReply) => {
    settle(pending, reply);
    if (pending.size === 0) whenIdle?.();
  });
  const stop = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await ended;
  };
  let lastId = 0;
  return {
    pid: child.pid ?? -1,
    implementation: ready.implementation,
    scheduling: ready.scheduling,
    ended,
    run: (work) =>
      new Promise((resolve, reject) => {
        const request: WorkerRequest = { id: (lastId += 1), work };
        pending.set(request.id, { resolve, reject });
        child.send(request, (error) => {
          if (error !== null && pending.delete(request.id)) reject(lost());
        });
      }),
    stop,
    async retire() {
      const idle = pending.size === 0 ? null : new Promise<void>((resolve) => (whenIdle = resolve));
      await Promise.race([idle, ended]);
      await stop();
    },
  };
}

function settle(pending: Map<number, Pending>, reply: WorkerReply): void {
  if (reply.kind === "ready") return;
  const waiting = pending.get(reply.id);
  pending.delete(reply.id);
  if (reply.kind === "done") waiting?.resolve(reply.hash);
  else waiting?.reject(new Error(`a password hash could not be computed: ${reply.message}`));
}

/** Fails every hash that was running in it. */
async function watchEnd(child: ChildProcess, pending: Map<number, Pending>): Promise<string> {
  const how = await endOf(child);
  for (const waiting of pending.values()) waiting.reject(lost());
  pending.clear();
  return how;
}

async function firstReport(child: ChildProcess, ended: Promise<string>): Promise<WorkerReady> {
  const first = (await firstMessage(child, ended, "the process that hashes passwords")) as WorkerReply;
  if (first.kind !== "ready") throw new Error("the process that hashes passwords sent an unexpected message");
  return first;
}

function lost(): AppError {
  return new AppError("unavailable", "The password could not be checked. Try again.", { retryAfterMs });
}
