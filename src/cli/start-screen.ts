import type { Config } from "../config/config.ts";
import type { Service } from "../server.ts";

/** What a person at a terminal sees once the service is ready: where it is, who can sign in, what to try. */
export function startScreen(
  config: Config,
  service: Pick<Service, "port" | "opsPort" | "bootstrap">,
): string {
  const scheme = config.tls === null ? "http" : "https";
  const base = `${scheme}://localhost:${service.port}`;
  const { bootstrap } = service;
  const username = bootstrap?.username ?? config.bootstrap.username;
  const password = bootstrap?.password ?? "<password>";
  const lines = [
    "",
    "  Countersign is ready.",
    "",
    `  REST, gRPC, gRPC-Web, Connect   ${base}`,
    `  Probes                          http://localhost:${service.opsPort}/readyz`,
    `  Data                            ${config.database.url === null ? config.dataDir : "the database of DATABASE_URL"}`,
    "",
    ...signIn(service, username),
    "  Try:",
    "",
    `  curl -d 'username=${username}' --data-urlencode 'password=${password}' ${base}${config.basePath}/auth/login`,
    "",
    "  Ctrl-C stops it.",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

function signIn({ bootstrap }: Pick<Service, "bootstrap">, username: string): string[] {
  if (bootstrap === null) return ["  More users: npm run countersign -- user create NAME", ""];
  if (bootstrap.password === null)
    return [`  The first user, ${username}, was made with BOOTSTRAP_PASSWORD.`, ""];
  return [
    "  The first user was made. The password is shown this once:",
    "",
    `    username  ${username}`,
    `    password  ${bootstrap.password}`,
    "",
  ];
}
