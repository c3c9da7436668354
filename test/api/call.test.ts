import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { Call, type CallRequest } from "../../src/api/call.ts";
import type { MakeGuard } from "../../src/api/guards/guard.ts";
import { cacheControl } from "../../src/api/guards/cache-control.ts";
import { createRpcTable, serve } from "../../src/api/router.ts";
import { AppError } from "../../src/errors/app-error.ts";
import { createDeadlines, createOwnDeadline } from "../../src/lib/deadlines.ts";
import { AccessSchema, LimitSchema } from "../../src/gen/countersign/v1/options_pb.ts";
import {
  Health,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
} from "../../src/gen/grpc/health/v1/health_pb.ts";

/** A request whose caller can go, and a count of those who asked whether it has. */
function createRequest() {
  const gone = new AbortController();
  const told = { askedForSignal: 0 };
  const request: CallRequest = {
    requestId: "r",
    clientAddress: "192.0.2.1",
    header: () => undefined,
    get signal() {
      told.askedForSignal += 1;
      return gone.signal;
    },
    outcome: { userId: null },
    cookies: [],
    addedHeaders: {},
    nulls: [],
  };
  return { request, gone, told };
}

test.each([
  ["of its own", createOwnDeadline],
  ["of the usual length", createDeadlines],
])(
  "a call whose deadline %s passes fails, and aborts the signal that was asked for",
  async (_kind, createDeadline) => {
    const call = new Call(createRequest().request, createDeadline(300));
    let reason: unknown = null;
    const work = async () => {
      const { signal } = call;
      signal.addEventListener("abort", () => {
        reason = signal.reason;
      });
      // sleep: work that takes longer than its call may.
      await sleep(10_000, undefined, { ref: false });
    };
    await expect(call.within(work)).rejects.toMatchObject({ reason: "deadline_exceeded" });
    expect(reason).toMatchObject({ reason: "deadline_exceeded" });
  },
);

test("work is not begun after the deadline, and a signal that is asked for then is aborted", async () => {
  const call = new Call(createRequest().request, createOwnDeadline(-1));
  let begun = false;
  const work = async () => {
    begun = true;
  };
  await expect(call.within(work)).rejects.toMatchObject({ reason: "deadline_exceeded" });
  expect(begun).toBe(false);
  expect(call.signal.reason).toMatchObject({ reason: "deadline_exceeded" });
});

test("the signal is aborted when the caller goes, before it is asked for or after", () => {
  const reason = new AppError("cancelled", "The caller has gone.");
  const early = createRequest();
  early.gone.abort(reason);
  expect(new Call(early.request, createOwnDeadline(1000)).signal.reason).toBe(reason);
  const late = createRequest();
  const { signal } = new Call(late.request, createOwnDeadline(1000));
  expect(signal.aborted).toBe(false);
  late.gone.abort(reason);
  expect(signal.reason).toBe(reason);
});

test("guards run in the order of their list, and a call that asks for no signal has none made", async () => {
  const order: string[] = [];
  const guard = (name: string): MakeGuard => {
    return () => ({
      before() {
        order.push(name);
        return undefined;
      },
      success: () => void order.push(`${name} after`),
    });
  };
  const rules = {
    access: create(AccessSchema, { rule: { case: "anyone", value: true } }),
    limit: create(LimitSchema, { rule: { case: "none", value: "A test." } }),
  };
  const answered = { status: HealthCheckResponse_ServingStatus.SERVING };
  const handlers = {
    check: () => answered,
    list: () => ({}),
    async *watch() {
      yield answered;
    },
  };
  const table = createRpcTable([serve(Health, handlers, rules)], [guard("a"), cacheControl, guard("b")]);
  const rpc = table.byPath.get("/grpc.health.v1.Health/Check");
  if (rpc?.kind !== "unary") throw new Error("Check is unary");
  const { request, told } = createRequest();
  const call = new Call(request, createOwnDeadline(1000));
  const answer = await call.within(() => rpc.run(call, create(HealthCheckRequestSchema)));
  expect(answer).toEqual(create(HealthCheckResponseSchema, answered));
  expect({ order, headers: call.answerHeaders }).toEqual({
    order: ["a", "b", "a after", "b after"],
    headers: {},
  });
  expect(told.askedForSignal).toBe(0);
});
