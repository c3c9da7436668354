import type { Front } from "./front.ts";
import { buildPublicPort } from "./public-port.ts";

/** Serves the public port in this process. */
export const serveHere: Front = {
  async open({ metrics: { registry }, ...parts }) {
    const listener = buildPublicPort({ ...parts, registry, arrivals: null });
    const { port } = await listener.listen();
    return { port, drain: (timeoutMs) => listener.drain(timeoutMs), failed: new Promise(() => undefined) };
  },
  forget: () => Promise.resolve(),
  stop: () => Promise.resolve(),
};
