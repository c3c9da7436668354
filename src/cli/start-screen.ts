import type { Config } from "../config/config.ts";
import type { Service } from "../app/service.ts";
import { shellQuote } from "./shell-quote.ts";

/** The part of the configuration that the screen shows. */
export type ScreenConfig = Pick<
  Config,
  "basePath" | "bootstrap" | "dataDir" | "host" | "opsHost" | "referencePage" | "tls"
> & {
  readonly database: Pick<Config["database"], "url">;
};

/** What a person at a terminal sees once the service is ready: where it is, who can sign in, what to try. */
export function startScreen(
  config: ScreenConfig,
  service: Pick<Service, "port" | "opsPort"> & {
    readonly bootstrap: Pick<NonNullable<Service["bootstrap"]>, "username" | "password"> | null;
  },
  version: string,
): string {
  const host = reachableHost(config.host);
  const base = `${config.tls === null ? "http" : "https"}://${host}:${service.port}`;
  const data = config.database.url === null ? config.dataDir : "in the database that DATABASE_URL names";
  const lines = [
    `Countersign ${version} is ready.`,
    "",
    `  Service    ${base}   (REST, gRPC, gRPC-Web and Connect)`,
    ...(config.referencePage ? [`  Reference  ${base}${config.basePath}/docs`] : []),
    `  Health     http://${reachableHost(config.opsHost)}:${service.opsPort}/readyz`,
    `  Data       ${data}`,
    "",
    ...firstUser(service.bootstrap),
    "Sign in:",
    "",
    `  ${loginCommand(config, service.bootstrap, base)}`,
    "",
    "More users:  npm run countersign -- user create NAME",
    "Ctrl-C stops the service.",
  ];
  return `\n${lines.map((line) => (line === "" ? "" : `  ${line}`)).join("\n")}\n`;
}

function firstUser(
  bootstrap: { readonly username: string; readonly password: string | null } | null,
): string[] {
  if (bootstrap === null) return [];
  if (bootstrap.password === null) {
    return [`The first user, ${bootstrap.username}, was made with BOOTSTRAP_PASSWORD.`, ""];
  }
  return [
    "The first user was made. The password is shown only this once:",
    "",
    `  Username   ${bootstrap.username}`,
    `  Password   ${bootstrap.password}`,
    "",
  ];
}

function loginCommand(
  config: ScreenConfig,
  bootstrap: { readonly username: string; readonly password: string | null } | null,
  base: string,
): string {
  const username = bootstrap?.username ?? config.bootstrap.username;
  const fields = [
    formField("username", username),
    formField("password", bootstrap?.password ?? "YOUR-PASSWORD"),
  ];
  return ["curl", ...fields, shellQuote(`${base}${config.basePath}/auth/login`)].join(" ");
}

/** curl sends a value after -d unchanged, and encodes one after --data-urlencode. */
function formField(name: string, value: string): string {
  const option = /^[A-Za-z0-9._~-]+$/.test(value) ? "-d" : "--data-urlencode";
  return `${option} ${shellQuote(`${name}=${value}`)}`;
}

/** The host name by which this machine reaches the listener: a listener on all addresses answers on localhost. */
function reachableHost(host: string): string {
  if (["0.0.0.0", "::", "127.0.0.1", "::1"].includes(host)) return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
