import { type Check, ok, warn } from "./finding.ts";

/** The Node.js that runs this: the one of a package manager or a system may be too old. */
export const checkNode: Check = {
  name: "Node.js",
  needs: [],
  run: async () => {
    const [major = 0] = process.versions.node.split(".").map(Number);
    if (major >= 24) return [ok("Node.js", `version ${process.versions.node}`)];
    return [warn("Node.js", `version ${process.versions.node}`, "run it with Node.js 24 or newer")];
  },
};
