import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { eventually } from "../../test/_harness/eventually.ts";
import type { Fault } from "./fault.ts";
import type { Instances } from "./instances.ts";

const plain = { standby: "async" } as const;
const noticedMs = 20_000;

/** The children of a process that hash passwords. */
function findHashing(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .split(" ")
    .filter(
      (id) => id !== "" && readFileSync(`/proc/${id}/cmdline`, "utf8").includes("src/hashing/worker.ts"),
    )
    .map(Number);
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Grows in the control group of a process until that process is gone. */
const glutton = `
  const { existsSync, writeFileSync } = require("node:fs");
  const [group, pid] = process.argv.slice(1);
  writeFileSync(group, String(process.pid));
  const held = [];
  const timer = setInterval(() => {
    if (existsSync("/proc/" + pid)) held.push(Buffer.alloc(8 * 2 ** 20, 1));
    else clearInterval(timer);
  }, 10);
`;

/** Where processes are put into the control group of one: that of the harness, which alone bounds memory. */
async function findGroup(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cgroup`, "utf8");
  const path = /^(?:\d+:memory|0:):(\/.*countersign-test-.*)$/m.exec(text)?.[1];
  if (path === undefined) throw new Error("No control group can be made here: it takes root.");
  const hierarchy = text.includes(":memory:") ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
  return `${hierarchy}${path}/cgroup.procs`;
}

async function takeMemory(instances: Instances): Promise<() => Promise<void>> {
  const { pid } = instances.at(0);
  // Of those in the group the kernel ends this one.
  await writeFile(`/proc/${pid}/oom_score_adj`, "1000");
  const eater = spawn(process.execPath, ["-e", glutton, await findGroup(pid), String(pid)], {
    stdio: "ignore",
  });
  await eventually(() => !isRunning(pid), noticedMs).finally(() => eater.kill("SIGKILL"));
  return () => instances.restart(0);
}

/** More connections than there are descriptors, from many addresses, opened again as soon as they are closed. */
async function takeDescriptors(instances: Instances): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>();
  let isOver = false;
  const open = (port: number, index: number): void => {
    if (isOver) return;
    const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.1.${1 + (index % 200)}` });
    sockets.add(socket);
    socket
      .on("connect", () => socket.write("GET /auth/me HTTP/1.1\r\n"))
      .on("error", () => undefined)
      .on("close", () => {
        sockets.delete(socket);
        setTimeout(() => open(port, index), 200);
      });
  };
  for (const port of instances.ports) for (let index = 0; index < 400; index += 1) open(port, index);
  return async () => {
    isOver = true;
    for (const socket of sockets) socket.destroy();
  };
}

/** What happens to one instance, or to both. */
export const faultsOfService: readonly Fault[] = [
  {
    name: "service-killed",
    title: "one instance killed, then started anew",
    stage: plain,
    async apply({ instances }) {
      await instances.kill(0);
      return () => instances.restart(0);
    },
  },
  {
    name: "hashing-killed",
    title: "the hashing processes of both instances killed",
    stage: plain,
    healsItself: true,
    async apply({ instances }) {
      for (const index of [0, 1] as const) {
        for (const pid of findHashing(instances.at(index).pid)) process.kill(pid, "SIGKILL");
      }
      return async () => undefined;
    },
  },
  {
    name: "service-memory",
    title: "one instance out of memory and ended by the kernel, then started anew",
    stage: { memoryMib: 512 },
    apply: ({ instances }) => takeMemory(instances),
  },
  {
    name: "service-descriptors",
    title: "callers take all descriptors of both instances",
    stage: { descriptors: 400 },
    apply: ({ instances }) => takeDescriptors(instances),
  },
];
