import type { Quota } from "../../errors/app-error.ts";

/**
 * The header fields RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4).
 *
 * @param quotas none for no fields
 */
export function rateLimitFields(quotas: readonly Quota[]): Record<string, string> {
  if (quotas.length === 0) return {};
  const list = (item: (quota: Quota) => string): string => quotas.map(item).join(", ");
  return {
    "ratelimit-policy": list(
      ({ policy, quota, windowSeconds }) => `"${policy}";q=${quota};w=${windowSeconds}`,
    ),
    ratelimit: list(({ policy, remaining, resetSeconds }) => `"${policy}";r=${remaining};t=${resetSeconds}`),
  };
}
