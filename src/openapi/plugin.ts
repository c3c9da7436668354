// A buf plugin that writes openapi.json: the OpenAPI document of the services that buf passes to it.
// It is run by scripts/generate.ts, and no part of the running service.
import { createEcmaScriptPlugin, runNodeJs } from "@bufbuild/protoplugin";
import { createDocument } from "./document.ts";

runNodeJs(
  createEcmaScriptPlugin({
    name: "protoc-gen-openapi",
    version: "v1",
    parseOptions: (options) => ({
      documentVersion: options.find(({ key }) => key === "version")?.value ?? "",
    }),
    generateTs(schema) {
      const services = schema.files.flatMap(({ services }) => services);
      const document = createDocument(services, schema.options.documentVersion);
      schema.generateFile("openapi.json").print(JSON.stringify(document, null, 2));
    },
  }),
);
