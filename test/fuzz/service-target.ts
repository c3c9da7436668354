import type { Dictionary } from "./bodies.ts";
import type { Target } from "./campaign.ts";
import * as given from "../_harness/given.ts";
import { services } from "../_harness/rest-call.ts";
import { Health } from "../../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../src/gen/grpc/reflection/v1/reflection_pb.ts";
import type { TestService } from "../_harness/service.ts";

/** The environment of a service under test: what waits for half a request does not wait for long. */
export const targetEnv: Readonly<Record<string, string>> = {
  HEADER_TIMEOUT: "1s",
  BODY_TIMEOUT: "1s",
  BUILTIN_CLIENT_SCOPES: "profile mail",
};

const usersCount = 4;

/** A service as a target, with users whose tokens the requests bear. */
export async function createServiceTarget(service: TestService): Promise<Target> {
  const users: given.TestUser[] = [service.admin];
  for (let index = 1; index < usersCount; index += 1) {
    users.push(await given.user(service, { username: `user${index}` }));
  }
  return {
    port: service.port,
    services: [...services, Health, ServerReflection],
    isAlive: () => isRunning(service.pid),
    words: () => makeWords(service, users),
  };
}

async function makeWords(service: TestService, users: readonly given.TestUser[]): Promise<Dictionary> {
  const passwords = [service.admin.password, "another long password"];
  // Requests change passwords, from one of these to another.
  const attempts = users.flatMap(({ username }) => passwords.map((password) => ({ username, password })));
  const logins = await Promise.allSettled(attempts.map((user) => given.session(service, { user })));
  const tokens = logins.flatMap((login) => (login.status === "fulfilled" ? [login.value] : []));
  const access = tokens.map((each) => each.access_token);
  const refresh = tokens.map((each) => each.refresh_token);
  return {
    tokens: ["opaque", ...access, ...refresh],
    byField: {
      username: users.map(({ username }) => username),
      password: passwords,
      current_password: passwords,
      new_password: passwords,
      grant_type: ["password", "refresh_token", "client_credentials", ""],
      scope: ["", "mail", "mail profile", "admin"],
      client_id: ["", "countersign", "nobody"],
      client_secret: ["", "secret"],
      refresh_token: refresh,
      token: [...access, ...refresh],
      session_id: ["ses_none"],
      service: ["", "countersign.v1.AuthService"],
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
