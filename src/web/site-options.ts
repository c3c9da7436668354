/** What the pages are made from. */
export interface SiteOptions {
  /** BASE_PATH: before every path. */
  readonly basePath: string;
  /** What REST paths are appended to in links. */
  readonly restUrl: string;
  /** AUTH_MODE_HEADER: the header field that asks for cookies. */
  readonly authModeHeader: string;
  /** Whether the reference page answers. */
  readonly referencePage: boolean;
}

/** Where the pages find their style sheets, scripts and icon. */
export function assetsPath({ basePath }: SiteOptions): string {
  return `${basePath}/site`;
}
