import { eventually } from "./eventually.ts";

/**
 * Waits until the service has noticed that PostgreSQL is back. It looks once a second, so a call just after
 * the return may still be answered 503. /readyz cannot tell: after a short outage it never was unready.
 *
 * @param url the public port of one service
 */
export function untilPostgresServes(url: string, withinMs = 60_000): Promise<void> {
  const body = () => new URLSearchParams({ username: "nobody", password: "no such password" });
  return eventually(
    async () => {
      const answer = await fetch(`${url}/auth/login`, { method: "POST", body: body() });
      await answer.arrayBuffer();
      // Only who could look for the user knows that there is none.
      return answer.status === 401;
    },
    withinMs,
    20,
  );
}
