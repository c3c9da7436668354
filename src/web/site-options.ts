/** What the pages are made from. */
export interface SiteOptions {
  /** BASE_PATH: before every path. */
  readonly basePath: string;
  /** The address that REST paths are appended to in links. */
  readonly restUrl: string;
  /** AUTH_MODE_HEADER: the header field that asks for cookies. */
  readonly authModeHeader: string;
  /** Whether the reference page answers. */
  readonly referencePage: boolean;
}

/** The path of the pages' style sheets, scripts and icon. */
export function assetsPath({ basePath }: SiteOptions): string {
  return `${basePath}/site`;
}
