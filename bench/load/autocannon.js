// Sends a load over HTTP/1.1 where there is no wrk. Usage: node autocannon.js JSON; prints the counts as JSON.
import { readFileSync, writeFileSync } from "node:fs";
import autocannon from "autocannon";

const { port, load, seconds, connections } = JSON.parse(process.argv[2]);
const { method, headers, body } = load;
const lines = body ? readFileSync(body.file, "utf8") : "";
const bodies = lines.split("\n").filter(Boolean);
let sent = body?.from ?? 0;
let failed = 0;

const requests = {
  each: () => ({
    setupRequest: (request) => ({ ...request, body: bodies[sent++ % bodies.length] }),
  }),
  refresh: () => ({
    setupRequest: (request) => ({ ...request, body: body.before + (bodies.shift() ?? "none") }),
    onResponse: (_status, answer) => {
      const token = /"refresh_token":"([^"]+)"/.exec(answer)?.[1];
      if (token) bodies.push(token);
    },
  }),
  fixed: () => ({ body: readFileSync(body.file) }),
};

const times = [];
const instance = autocannon({
  url: `http://127.0.0.1:${port}${load.path}`,
  connections,
  duration: seconds,
  timeout: 10,
  requests: [{ method, headers, ...(body ? requests[body.kind]() : {}) }],
});
instance.on("response", (_client, status, _bytes, milliseconds) => {
  times.push(milliseconds);
  if (status !== 200) failed += 1;
});
const result = await instance;
// What is under way at the end is lost with its answer: a few sessions less for the next round.
if (body?.kind === "refresh") writeFileSync(body.file, [...bodies, ""].join("\n"));
times.sort((one, other) => one - other);
const percentile = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
process.stdout.write(
  `${JSON.stringify({
    requests: times.length + result.errors,
    errors: failed + result.errors,
    seconds: result.duration,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    bytes: result.throughput.total,
  })}\n`,
);
