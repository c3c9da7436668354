import { spawnSync } from "node:child_process";
import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { deriveHashConcurrency } from "../../src/config/cores.ts";
import { readCgroupLimits } from "../../src/lib/cgroup-limits.ts";

const mebibyte = 1024 * 1024;
const version2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const version1 =
  "31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
  "32 24 0:28 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n";
const unbounded = "9223372036854771712\n";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "countersign-cgroup-"));
});
afterEach(() => rm(root, { recursive: true }));

async function lay(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

describe("the bounds of the control groups", () => {
  test.each<[string, Record<string, string>, { cpus: number | null; memoryBytes: number | null }]>([
    ["there are none on a system without control groups", {}, { cpus: null, memoryBytes: null }],
    [
      "version 2, in a container that sees its own group as the root",
      {
        "proc/self/cgroup": "0::/\n",
        "proc/self/mountinfo": version2,
        "sys/fs/cgroup/cpu.max": "150000 100000\n",
        "sys/fs/cgroup/memory.max": `${512 * mebibyte}\n`,
      },
      { cpus: 1.5, memoryBytes: 512 * mebibyte },
    ],
    [
      "version 2, without bounds",
      {
        "proc/self/cgroup": "0::/user.slice\n",
        "proc/self/mountinfo": version2,
        "sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
        "sys/fs/cgroup/user.slice/memory.max": "max\n",
      },
      { cpus: null, memoryBytes: null },
    ],
    [
      "version 2: a group around it is narrower",
      {
        "proc/self/cgroup": "0::/kubepods/pod1/container\n",
        "proc/self/mountinfo": version2,
        "sys/fs/cgroup/kubepods/pod1/container/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/kubepods/pod1/container/memory.max": "max\n",
        "sys/fs/cgroup/kubepods/pod1/cpu.max": "200000 100000\n",
        "sys/fs/cgroup/kubepods/memory.max": `${1024 * mebibyte}\n`,
      },
      { cpus: 2, memoryBytes: 1024 * mebibyte },
    ],
    [
      "version 1, on a host",
      {
        "proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n",
        "proc/self/mountinfo": version1,
        "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000\n",
        "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": `${256 * mebibyte}\n`,
        "sys/fs/cgroup/memory/memory.limit_in_bytes": unbounded,
      },
      { cpus: 0.5, memoryBytes: 256 * mebibyte },
    ],
    [
      "version 1, in a container whose mounts begin at its group",
      {
        "proc/self/cgroup": "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n",
        "proc/self/mountinfo": version1.replaceAll(" / /sys", " /docker/abc /sys"),
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "300000\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": `${300 * mebibyte}\n`,
      },
      { cpus: 3, memoryBytes: 300 * mebibyte },
    ],
    [
      "version 1, without bounds, beside version 2 without controllers",
      {
        "proc/self/cgroup": "5:memory:/a\n4:cpu,cpuacct:/a\n0::/a\n",
        "proc/self/mountinfo": version1 + version2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"),
        "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
        "sys/fs/cgroup/memory/a/memory.limit_in_bytes": unbounded,
      },
      { cpus: null, memoryBytes: null },
    ],
  ])("%s", async (_name, files, limits) => {
    await lay(files);
    expect(readCgroupLimits(root)).toEqual(limits);
  });
});

test.each([
  { cores: 64, cpus: null, memoryMib: 512, hashKib: 19_456, expected: 13 },
  { cores: 64, cpus: 4, memoryMib: 512, hashKib: 19_456, expected: 4 },
  { cores: 64, cpus: 1.5, memoryMib: null, hashKib: 19_456, expected: 1 },
  { cores: 64, cpus: 0.25, memoryMib: null, hashKib: 19_456, expected: 1 },
  { cores: 2, cpus: null, memoryMib: 4_096, hashKib: 19_456, expected: 2 },
  { cores: 8, cpus: null, memoryMib: 512, hashKib: 65_536, expected: 4 },
  { cores: 8, cpus: null, memoryMib: 128, hashKib: 19_456, expected: 1 },
  { cores: 1024, cpus: null, memoryMib: null, hashKib: 19_456, expected: 256 },
])(
  "$cores cores, a quota of $cpus, $memoryMib MiB and hashes of $hashKib KiB make $expected at once",
  ({ cores, cpus, memoryMib, hashKib, expected }) => {
    const limits = { cpus, memoryBytes: memoryMib === null ? null : memoryMib * mebibyte };
    expect(deriveHashConcurrency(cores, limits, hashKib, 1)).toBe(expected);
  },
);

/** Groups of version 1, which a root that may write there can make; version 2 wants its controllers handed down first. */
function makeGroups(): readonly string[] | null {
  const folders = ["cpu", "memory"].map((controller) => `/sys/fs/cgroup/${controller}/test-${process.pid}`);
  try {
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(`${folders[0]}/cpu.cfs_quota_us`, "100000");
    writeFileSync(`${folders[1]}/memory.limit_in_bytes`, String(512 * mebibyte));
    return folders;
  } catch {
    removeGroups(folders);
    return null;
  }
}

function removeGroups(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // It was not made.
    }
  }
}

const groups = makeGroups();
(groups === null ? describe.skip : describe)("in a real control group", () => {
  test("a process finds its bounds", () => {
    try {
      const script = `
      const { readConfig } = await import("./src/app/read-config.ts");
      const { readCgroupLimits } = await import("./src/lib/cgroup-limits.ts");
      console.log(JSON.stringify({ ...readCgroupLimits(), concurrency: readConfig({}).hashing.concurrency }));`;
      const join = (groups ?? []).map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(" && ");
      const { stdout, stderr } = spawnSync(
        "sh",
        ["-c", `${join} && exec "$0" --input-type=module --eval "$1"`, process.execPath, script],
        { encoding: "utf8", cwd: dirname(dirname(import.meta.dirname)) },
      );
      expect({ ...(JSON.parse(stdout || "{}") as object), stderr }).toEqual({
        cpus: 1,
        memoryBytes: 512 * mebibyte,
        concurrency: Math.min(1, availableParallelism()),
        stderr: "",
      });
    } finally {
      removeGroups(groups ?? []);
    }
  });
});
