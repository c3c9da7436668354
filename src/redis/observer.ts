/** What logs and metrics learn about Redis. */
export interface RedisObserver {
  /** Calls are no longer sent to a server, or are sent again. @param node its `host:port` in a cluster; else empty */
  onBreaker(node: string, closed: boolean): void;
  /** A script was run. Calls that a breaker refused are not reported. */
  onCall(seconds: number, succeeded: boolean): void;
}
