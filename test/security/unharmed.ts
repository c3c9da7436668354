import { expect } from "@jest/globals";
import { type Reason, reasons, type ReasonSpec } from "../../src/errors/reasons.ts";
import { api } from "../_harness/api.ts";
import { eventually } from "../_harness/eventually.ts";
import type { TestService } from "../_harness/service.ts";

/** The form of a login that succeeds. */
export function loginForm(service: TestService): string {
  return new URLSearchParams(service.admin).toString();
}

// Connect's own status for them is 504.
const timeouts: ReadonlySet<string> = new Set(["request_timeout", "deadline_exceeded"]);

/** The service lives, signs people in, and has found no mistake of its own. */
export async function expectUnharmed(service: TestService): Promise<void> {
  expect((await api(service).rest.login(service.admin)).status).toBe(200);
  const failures = service
    .logs()
    .filter(
      ({ level, status, reason }) =>
        level === "error" || (Number(status) >= 500 && !timeouts.has(String(reason))),
    );
  expect(failures).toEqual([]);
  expect(service.output()).not.toMatch(/"internal"|Warning|uncaught|unhandled/i);
}

/** Resolves once the condition holds; rejects if it does not in time. */
export async function expectEventually(condition: () => boolean): Promise<void> {
  await eventually(condition);
  expect(condition()).toBe(true);
}

/** The problem that REST answers, member by member. */
export function problem(service: TestService, reason: Reason, detail: string): object {
  const { status, title, isHttps, oauthError }: ReasonSpec = reasons[reason];
  return {
    type: isHttps === true ? "about:blank" : `http://localhost:${service.port}/problems/${reason}`,
    title,
    status,
    detail,
    reason,
    request_id: expect.stringMatching(/^[\w-]{36}$/),
    ...(oauthError === null ? {} : { error: oauthError, error_description: detail }),
  };
}
