// For `node --import`: hands TypeScript 5 to a tool that asks for TypeScript. Generators of code need its
// JavaScript API, which TypeScript 7 does not have; @bufbuild/protoplugin brings one that does.
import { createRequire, registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

const older = pathToFileURL(
  createRequire(import.meta.resolve("@bufbuild/protoplugin")).resolve("typescript"),
).href;

registerHooks({
  resolve: (specifier, context, next) => next(specifier === "typescript" ? older : specifier, context),
});
