import { stripTypeScriptTypes } from "node:module";

/** A jest transform: Node's own type stripping, so that tests run the very code that the service runs. */
export default {
  process(source, path) {
    return { code: stripTypeScriptTypes(source, { mode: "strip", sourceUrl: path }) };
  },
};
