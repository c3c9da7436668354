import { once } from "node:events";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { createServer } from "node:net";
import { type Check, fail, type Finding, ok } from "./finding.ts";

const timeoutMs = 1_000;

/** Both ports: free, held by a running Countersign, or held by another program. */
export const checkPorts: Check = {
  name: "ports",
  needs: ["HOST", "PORT", "OPS_HOST", "OPS_PORT"],
  run: ({ config }) =>
    Promise.all([
      checkPort(
        { name: "PORT", port: config.port, hostName: "HOST", host: config.host },
        config.tls !== null,
      ),
      checkPort(
        { name: "OPS_PORT", port: config.opsPort, hostName: "OPS_HOST", host: config.opsHost },
        false,
      ),
    ]),
};

/** One of the two, with the names of its variables. */
interface Place {
  readonly name: string;
  readonly port: number;
  readonly hostName: string;
  readonly host: string;
}

async function checkPort({ name, port, hostName, host }: Place, isTls: boolean): Promise<Finding> {
  if (port === 0) return ok(name, "the start picks a free one");
  const code = await tryListen(host, port);
  if (code === null) return ok(name, `${port} is free`);
  if (code === "EACCES") {
    return fail(name, `${port} needs more rights than this user has`, `set ${name} above 1023`);
  }
  if (code !== "EADDRINUSE") {
    return fail(
      hostName,
      `it is not an address of this machine (${code})`,
      `set ${hostName} to ${hostName === "HOST" ? "0.0.0.0" : "127.0.0.1"}`,
    );
  }
  return (await isCountersign(host, port, isTls))
    ? ok(name, `${port} is held by a Countersign that is running`)
    : fail(name, `${port} is held by another program`, `set ${name} to a free port, or end that program`);
}

/** @returns the error's code; null if the port is free */
async function tryListen(host: string, port: number): Promise<string | null> {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    return null;
  } catch (error) {
    return Error.isError(error) && "code" in error ? String(error.code) : "unknown";
  } finally {
    server.close();
  }
}

/** Asks /livez, whose answer is distinctive. The certificate is not verified, since nothing is sent. */
async function isCountersign(host: string, port: number, isTls: boolean): Promise<boolean> {
  const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  const options = { host: address, port, path: "/livez", agent: false, timeout: timeoutMs };
  const request = isTls ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
  const answer = Promise.withResolvers<boolean>();
  request.on("timeout", () => request.destroy(new Error("timeout")));
  request.on("error", () => answer.resolve(false));
  request.on("response", (response) => {
    let body = "";
    response.setEncoding("utf8").on("data", (text: string) => (body = `${body}${text}`.slice(0, 16)));
    response.on("end", () => {
      answer.resolve(response.headers["cache-control"] === "no-store" && /^(ok|unavailable)\n$/.test(body));
    });
  });
  request.end();
  const late = setTimeout(() => request.destroy(new Error("timeout")), timeoutMs);
  try {
    return await answer.promise;
  } finally {
    clearTimeout(late);
  }
}
