import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { installDebianPackages } from "../_harness/debian-package.ts";

const repository = join(import.meta.dirname, "../..");
const file = join(repository, "docker-compose.yml");

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(readFileSync(file, "utf8")) as Compose;
const services = Object.entries(compose.services);
const stores = services.filter(([name]) => name !== "countersign");
const countersign = compose.services["countersign"]!;
const required = { ISSUER: "https://id.example", SECRET_KEY: "a".repeat(64), POSTGRES_PASSWORD: "b" };

describe("docker-compose.yml", () => {
  test("gives no secret a default", () => {
    const variables = [...readFileSync(file, "utf8").matchAll(/\$\{(\w+)(:?[-?])(?<rest>[^}]*)\}/g)];
    const secrets = variables.filter(([, name]) => /SECRET|PASSWORD|ISSUER/.test(name!));
    const open = secrets.filter(([, , operator, rest]) => operator !== ":?" && rest !== "");
    expect(open).toEqual([]);
    expect(new Set(variables.filter((one) => one[2] === ":?").map((one) => one[1]))).toEqual(
      new Set(Object.keys(required)),
    );
  });

  test.each(services)(
    "%s runs on a read-only root, with no capability that it does not name",
    (_, service) => {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
    },
  );

  test.each(stores)("%s is healthy before the service starts, and is reached by it alone", (name, store) => {
    expect(countersign.depends_on?.[name]).toEqual({ condition: "service_healthy" });
    expect(store.healthcheck?.test[0]).toBe("CMD");
    expect(store.ports).toBeUndefined();
    expect(store.networks).toEqual(["stores"]);
    expect(compose.networks["stores"]).toEqual({ internal: true });
  });

  test("keeps the private port on the machine's own interface", () => {
    expect(countersign.ports).toEqual(["8080:8080", "127.0.0.1:9090:9090"]);
  });

  test("declares every volume and network that it uses", () => {
    const mounts = services.flatMap(([, service]) =>
      (service.volumes ?? []).map((one) => one.split(":")[0]!),
    );
    expect(mounts.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    const networks = new Set(services.flatMap(([, service]) => service.networks));
    expect([...networks].toSorted()).toEqual(Object.keys(compose.networks).toSorted());
  });

  test("mounts the data where the image keeps it, and builds what the package is called", () => {
    expect(readFileSync(join(repository, "Dockerfile"), "utf8")).toContain("DATA_DIR=/app/data");
    expect(countersign.volumes).toEqual(["data:/app/data"]);
    const { version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as {
      version: string;
    };
    expect(countersign).toMatchObject({ build: ".", image: `countersign:${version}` });
  });
});

describe("the compose client", () => {
  let client: ComposeClient;
  beforeAll(async () => {
    client = await findClient();
  });
  afterAll(() => client.clean());

  const config = (env: Readonly<Record<string, string>>) => {
    const [program, ...args] = client.command;
    return spawnSync(program, [...args, "--file", client.file, "config", "--quiet"], {
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
      encoding: "utf8",
    });
  };

  test("takes the file", () => {
    expect(config(required)).toMatchObject({ status: 0 });
  });

  test.each(Object.keys(required))("refuses it without %s", (name) => {
    expect(config({ ...required, [name]: "" }).stderr).toContain(name);
  });
});

interface ComposeClient {
  readonly command: readonly [string, ...string[]];
  /** What it is given to read. */
  readonly file: string;
  clean(): void;
}

/** Docker's own client where it is there, else Debian's, which is installed where that can be done. */
async function findClient(): Promise<ComposeClient> {
  const answers = (...command: [string, ...string[]]) =>
    spawnSync(command[0], [...command.slice(1), "version"]).status === 0;
  if (answers("docker", "compose")) {
    return { command: ["docker", "compose"], file, clean: () => undefined };
  }
  if (!answers("docker-compose")) {
    await installDebianPackages(
      ["docker-compose"],
      "This test needs docker compose, or Debian's docker-compose.",
    );
  }
  // Debian's knows all of the file but the project's name.
  const folder = mkdtempSync(join(tmpdir(), "countersign-test-compose-"));
  const copy = join(folder, "docker-compose.yml");
  writeFileSync(copy, readFileSync(file, "utf8").replace(/^name: .*$/m, ""));
  return {
    command: ["docker-compose"],
    file: copy,
    clean: () => rmSync(folder, { recursive: true, force: true }),
  };
}
