import { api } from "./api.ts";
import { eventually } from "./eventually.ts";

/**
 * Waits until the service has noticed that PostgreSQL is back. It looks once a second, so a call just after
 * the return may still be answered 503. /readyz cannot tell: after a short outage it never was unready.
 *
 * @param url the public port of one service
 */
export function untilPostgresServes(url: string, withinMs = 60_000): Promise<void> {
  return eventually(
    async () => {
      const { status } = await api(url).rest.login({ username: "nobody" });
      // Only who could look for the user knows that there is none.
      return status === 401;
    },
    withinMs,
    20,
  );
}
