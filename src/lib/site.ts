/** A page or file that is served unchanged. */
export interface Page {
  readonly contentType: string;
  readonly body: Uint8Array;
  /** 200 by default. */
  readonly status?: number;
  /** Header fields beside the usual ones; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Pages by their whole path. Each is made when it is first asked for, and then kept. */
export type Site = ReadonlyMap<string, () => Page>;
