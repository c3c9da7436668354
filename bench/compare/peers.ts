import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startChild } from "./child.ts";
import type { Contender, Endpoints } from "./contender.ts";
import { type Amounts, prepareOAuthLoads } from "./oauth-loads.ts";
import { watchTree } from "../processes.ts";
import type { BenchStores } from "./stores.ts";

const folderOfPeers = join(import.meta.dirname, "..", "peers");

/** Each is set up as its documentation would for production, with the same Argon2id, PostgreSQL and Redis. */
const peers = [
  { name: "oidc-provider", script: "oidc-provider.js" },
  { name: "better-auth", script: "better-auth.js" },
  { name: "@node-oauth/oauth2-server", script: "oauth2-server.js" },
] as const;

/**
 * Installs the peers into a folder, at the versions of bench/peers/package.json, and starts them.
 *
 * @throws Error where npm cannot install them, or one does not start
 */
export async function startPeers(
  stores: BenchStores,
  amounts: Amounts,
  folder: string,
): Promise<Contender[]> {
  await cp(folderOfPeers, folder, { recursive: true });
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: folder,
  });
  const started: Contender[] = [];
  for (const { name, script } of peers) {
    const env = {
      DATABASE_URL: (await stores.createDatabase()).replace("?sslmode=disable", ""),
      REDIS_URL: stores.nextRedisUrl(),
      USERS: String(amounts.users),
      PASSWORD: amounts.password,
    };
    const child = await startChild([join(folder, script)], { cwd: folder, env });
    const endpoints = child.line as Endpoints;
    const bodies = join(folder, `${name.replaceAll(/\W/g, "-")}-bodies`);
    await mkdir(bodies, { recursive: true });
    started.push({
      name,
      kind: "peer",
      port: endpoints.port,
      processes: watchTree(child.pid, "service"),
      loads: await prepareOAuthLoads(endpoints, amounts, bodies),
      stop: () => child.stop(),
    });
  }
  return started;
}
