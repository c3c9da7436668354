// Sends a load over HTTP/2 where there is no h2load: one connection, so many calls at once.
// Usage: node http2.js JSON; prints the counts as JSON.
import { readFileSync } from "node:fs";
import { connect } from "node:http2";

const { port, load, seconds, connections: streams } = JSON.parse(process.argv[2]);
const headers = { ":method": load.method, ":path": load.path, ...load.headers };
const body = load.body ? readFileSync(load.body.file) : undefined;
const session = connect(`http://127.0.0.1:${port}`);
const times = [];
let [errors, bytes] = [0, 0];

function call() {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let status;
    let grpcStatus;
    const stream = session.request(headers);
    stream.on("response", (fields) => {
      status = fields[":status"];
      grpcStatus = fields["grpc-status"];
    });
    stream.on("trailers", (fields) => {
      grpcStatus = fields["grpc-status"];
    });
    stream.on("data", (chunk) => {
      bytes += chunk.byteLength;
    });
    stream.on("error", () => undefined);
    stream.on("close", () => {
      times.push(performance.now() - startedAt);
      if (status !== 200 || grpcStatus !== "0") errors += 1;
      resolve();
    });
    stream.end(body);
  });
}

const startedAt = performance.now();
const caller = async () => {
  while (performance.now() - startedAt < seconds * 1000) await call();
};
await Promise.all(Array.from({ length: streams }, caller));
const elapsed = (performance.now() - startedAt) / 1000;
session.close();
times.sort((one, other) => one - other);
const percentile = (part) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0;
process.stdout.write(
  `${JSON.stringify({
    requests: times.length,
    errors,
    seconds: elapsed,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    bytes,
  })}\n`,
);
