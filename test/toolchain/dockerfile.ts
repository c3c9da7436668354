import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join, posix } from "node:path";

/** What a stage of a Dockerfile has come to: a folder that stands for its root, and its configuration. */
export interface Stage {
  /** The folder that stands for `/`. */
  readonly root: string;
  /** Inside of the stage, as every path here. */
  workdir: string;
  /** What RUN and the started process see. */
  readonly env: Record<string, string>;
  /** `uid:gid`; empty for root. */
  user: string;
  entrypoint: readonly string[];
  command: readonly string[];
  healthcheck: readonly string[];
  stopSignal: string;
  readonly ports: number[];
  readonly volumes: string[];
}

/** What the steps of a Dockerfile work on. */
export interface BuildOptions {
  /** Where the build takes its files from. */
  readonly context: string;
  /** An empty folder that the stages are laid out in. */
  readonly folder: string;
  /** `--build-arg`. */
  readonly args: Readonly<Record<string, string>>;
  /** The environment of RUN, in which `node` and `npm` stand for the base image's. */
  readonly env: NodeJS.ProcessEnv;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/**
 * Does what a Dockerfile says without a container engine: its COPY and RUN steps work on a folder of each
 * stage, and what it says of the process is noted. Knows the instructions that ours uses; another one
 * is an error, so that it cannot drift away unseen. Absolute paths in a RUN are not moved into the folder.
 *
 * @returns the last stage
 */
export function followDockerfile(path: string, options: BuildOptions): Stage {
  const stages: Stage[] = [];
  const byName = new Map<string, Stage>();
  let args: Record<string, string> = {};
  for (const { name, text } of parse(readFileSync(path, "utf8"))) {
    if (name === "FROM") {
      const stage = createStage(join(options.folder, `stage-${stages.length}`));
      const alias = / AS (\S+)$/i.exec(text)?.[1];
      if (alias) byName.set(alias, stage);
      stages.push(stage);
      args = {};
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`${name} stands before FROM`);
    if (name === "ARG") {
      args = { ...args, ...pickArgs(assignments(text), options.args) };
    } else {
      // The shell that runs a command expands it, and the JSON form is not expanded at all.
      const expanded = unexpanded.has(name) ? text : expand(text, { ...args, ...stage.env });
      step(stage, { name, text: expanded }, byName, options, args);
    }
  }
  const last = stages.at(-1);
  if (!last) throw new Error(`${path} holds no FROM`);
  return last;
}

const unexpanded = new Set(["CMD", "ENTRYPOINT", "HEALTHCHECK", "RUN"]);

function parse(source: string): Instruction[] {
  const lines = source.split("\n").filter((line) => !/^\s*#/.test(line));
  const joined = lines.join("\n").replaceAll(/\\\n\s*/g, " ");
  return joined.split("\n").flatMap((line) => {
    const [, name, text] = /^(\w+)\s+(.+)$/.exec(line.trim()) ?? [];
    return name && text ? [{ name: name.toUpperCase(), text }] : [];
  });
}

function createStage(root: string): Stage {
  mkdirSync(root);
  return {
    root,
    workdir: "/",
    env: {},
    user: "",
    entrypoint: [],
    command: [],
    healthcheck: [],
    stopSignal: "SIGTERM",
    ports: [],
    volumes: [],
  };
}

function step(
  stage: Stage,
  { name, text }: Instruction,
  stages: ReadonlyMap<string, Stage>,
  options: BuildOptions,
  args: Readonly<Record<string, string>>,
): void {
  switch (name) {
    case "WORKDIR":
      stage.workdir = posix.resolve(stage.workdir, text);
      mkdirSync(join(stage.root, stage.workdir), { recursive: true });
      return;
    case "COPY":
      return copy(stage, text, stages, options.context);
    case "RUN":
      return run(stage, text, { ...options.env, ...args, ...stage.env });
    case "ENV":
      Object.assign(stage.env, assignments(text));
      return;
    case "EXPOSE":
      stage.ports.push(...text.split(/\s+/).map(Number));
      return;
    case "VOLUME":
      stage.volumes.push(...text.split(/\s+/));
      return;
    default:
      configure(stage, name, text);
  }
}

function configure(stage: Stage, name: string, text: string): void {
  switch (name) {
    case "LABEL":
      return;
    case "USER":
      stage.user = text;
      return;
    case "STOPSIGNAL":
      stage.stopSignal = text;
      return;
    case "ENTRYPOINT":
      stage.entrypoint = words(text);
      return;
    case "CMD":
      stage.command = words(text);
      return;
    case "HEALTHCHECK":
      stage.healthcheck = words(text.replace(/^.*?\bCMD\s+/, ""));
      return;
    default:
      throw new Error(`no step is known for ${name}`);
  }
}

function copy(stage: Stage, text: string, stages: ReadonlyMap<string, Stage>, context: string): void {
  const parts = text.split(/\s+/);
  const from = parts[0]?.startsWith("--from=") ? parts.shift()?.slice("--from=".length) : undefined;
  if (parts[0]?.startsWith("--")) throw new Error(`no COPY option is known but --from: ${parts[0]}`);
  const source = from === undefined ? context : stages.get(from)?.root;
  const target = parts.pop();
  if (source === undefined || target === undefined) throw new Error(`COPY ${text} leads nowhere`);
  for (const part of parts) {
    const intoFolder = target.endsWith("/");
    const destination = join(
      stage.root,
      posix.resolve(stage.workdir, target),
      intoFolder ? basename(part) : "",
    );
    cpSync(join(source, part), destination, { recursive: true, verbatimSymlinks: true });
  }
}

/** As the stage's user, where this process may become another one. */
function run(stage: Stage, command: string, env: NodeJS.ProcessEnv): void {
  const cwd = join(stage.root, stage.workdir);
  const [uid, gid] = stage.user.split(":").map(Number);
  const asUser = process.getuid?.() === 0 && stage.user !== "" ? { uid, gid } : {};
  const options = { cwd, env, encoding: "utf8", timeout: 240_000, ...asUser } as const;
  const result = spawnSync("sh", ["-c", command], options);
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`RUN ${command} failed:\n${result.stdout}${result.stderr}`);
}

function words(json: string): readonly string[] {
  const parsed: unknown = JSON.parse(json);
  if (!Array.isArray(parsed)) throw new Error(`not in the JSON form: ${json}`);
  return parsed.map(String);
}

function assignments(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)(?:=("[^"]*"|\S*))?/g)].map(([, name, value]) => [
      name,
      (value ?? "").replaceAll('"', ""),
    ]),
  ) as Record<string, string>;
}

function pickArgs(declared: Record<string, string>, given: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, given[name] ?? value]));
}

function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    return variables[braced ?? bare ?? ""] ?? "";
  });
}
