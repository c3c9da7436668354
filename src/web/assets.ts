import { readFileSync } from "node:fs";
import type { Site } from "../lib/site.ts";
import type { SiteOptions } from "./site-options.ts";
import { assetsPath } from "./site-options.ts";

const types = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** A file under its name: one of this folder, or one of Swagger UI. */
interface Asset {
  readonly name: string;
  readonly type: keyof typeof types;
  /** As an import would name it. */
  readonly file: string;
}

const common: readonly Asset[] = [
  { name: "site.css", type: "css", file: "./assets/site.css" },
  { name: "icon.svg", type: "svg", file: "./assets/icon.svg" },
];

const ofReferencePage: readonly Asset[] = [
  { name: "reference.css", type: "css", file: "./assets/reference.css" },
  { name: "reference.js", type: "js", file: "./assets/reference.js" },
  { name: "swagger-ui.css", type: "css", file: "swagger-ui-dist/swagger-ui.css" },
  { name: "swagger-ui-bundle.js", type: "js", file: "swagger-ui-dist/swagger-ui-bundle.js" },
];

/** The style sheets, scripts and icon of the pages. No other file is served. */
export function createAssets(options: SiteOptions): Site {
  const assets = options.referencePage ? [...common, ...ofReferencePage] : common;
  return new Map(
    assets.map(({ name, type, file }) => [
      `${assetsPath(options)}/${name}`,
      () => ({ contentType: types[type], body: readFileSync(new URL(import.meta.resolve(file))) }),
    ]),
  );
}
