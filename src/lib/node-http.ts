const http = process.getBuiltinModule("node:http");

/**
 * What is used of node:http at run time. An `import` of that module reads all of its exports, and one of them loads Node's
 * `fetch`: 13 MiB, and 50 to 90 ms of a start.
 */
export const createServer: typeof http.createServer = http.createServer;

/** The reason phrases of HTTP statuses; see `createServer`. */
export const STATUS_CODES: typeof http.STATUS_CODES = http.STATUS_CODES;
