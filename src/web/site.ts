import type { Site } from "../lib/site.ts";
import { createAssets } from "./assets.ts";
import { createOpenapiPages } from "./openapi-pages.ts";
import { createProblemPages } from "./problem-pages.ts";
import { createReferencePage } from "./reference-page.ts";
import type { SiteOptions } from "./site-options.ts";

/**
 * Everything that is served beside the RPCs and the probes: the OpenAPI document (`/openapi.json`,
 * `/openapi.yaml`), the reference page (`/docs`) and the pages of reasons (`/problems`, `/problems/<reason>`). Nothing
 * is read or made before it is asked for.
 */
export function createSite(options: SiteOptions): Site {
  return new Map([
    ...createAssets(options),
    ...createOpenapiPages(options),
    ...createProblemPages(options),
    ...(options.referencePage ? createReferencePage(options) : []),
  ]);
}
