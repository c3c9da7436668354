import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** Node's request, of either HTTP version. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** Node's response, of either HTTP version. */
export type NodeResponse = ServerResponse | Http2ServerResponse;
