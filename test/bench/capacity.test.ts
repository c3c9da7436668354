import { expect, test } from "@jest/globals";
import { playMinute } from "../../bench/capacity/busy-minute.ts";
import type { Costs } from "../../bench/capacity/costs.ts";
import { simulateMorning } from "../../bench/capacity/morning.ts";
import { makePlan } from "../../bench/capacity/plan.ts";
import { createDraw } from "../../bench/capacity/random.ts";

const costs: Costs = {
  machine: "a test",
  login: { service: 2_000, hashing: 20_000, postgres: 1_000, redis: 50 },
  refresh: { service: 1_000, hashing: 0, postgres: 200, redis: 50 },
  introspection: { service: 100, hashing: 0, postgres: 0, redis: 0 },
  userBytes: 500,
  sessionBytes: 400,
};
const habits = {
  users: 1_000_000,
  activeShare: 0.4,
  spreadMinutes: 20,
  signInShare: 0.1,
  stayMinutes: 30,
  refreshMinutes: 15,
  introspectionsPerMinute: 1,
};
const instance = { hashesAtOnce: 2, hashWaitMax: 2.5, hashQueueMax: 128 };

test("everybody who is active comes once on a morning, and one in ten signs in", () => {
  let [logins, arrivals] = [0, 0];
  const early = { ...habits, refreshMinutes: Number.MAX_SAFE_INTEGER };
  for (const second of simulateMorning(early, createDraw(1))) {
    logins += second.logins;
    arrivals += second.logins + second.refreshes;
  }
  // Three standard deviations hold 99.7 % of them.
  expect(arrivals / 400_000).toBeCloseTo(0.997, 2);
  expect(logins / arrivals).toBeCloseTo(0.1, 2);
});

test("the same seed gives the same morning, and another seed another one", () => {
  const first = [...simulateMorning(habits, createDraw(7))];
  expect([...simulateMorning(habits, createDraw(7))]).toEqual(first);
  expect([...simulateMorning(habits, createDraw(8))]).not.toEqual(first);
});

test("an instance is as busy as its calls cost, and calls wait as in a queue with one server", () => {
  const rate = { logins: 0, refreshes: 500, introspections: 0 };
  const figures = playMinute(instance, costs, rate, createDraw(1));
  expect(figures.busy).toBeCloseTo(0.5, 1);
  // M/D/1 at half load: half of the calls wait for nobody.
  expect(figures.refreshP50Ms).toBeLessThan(1.5);
  expect(figures.refreshP99Ms).toBeGreaterThan(3);
  expect(figures.refreshP99Ms).toBeLessThan(6);
});

test("logins beyond what the threads can hash are refused, and the others wait no longer than they may", () => {
  const rate = { logins: 150, refreshes: 0, introspections: 0 };
  const figures = playMinute(instance, costs, rate, createDraw(1));
  // Two threads hash 100 in a second.
  expect(figures.logins / 60).toBeGreaterThan(95);
  expect(figures.logins / 60).toBeLessThan(105);
  expect(figures.refusedLogins / 60).toBeGreaterThan(40);
  expect(figures.loginP99Ms).toBeLessThan(2_600);
});

test("a plan keeps each part below its bound, with one instance to lose", () => {
  const machine = { cores: 4, busyMax: 0.5, sessionsPerUser: 2 };
  const peak = { logins: 100, refreshes: 2_000, introspections: 0, active: 0 };
  const plan = makePlan(costs, habits, machine, peak);
  expect(plan.busyCores.service).toBeCloseTo(2.2, 5);
  // 2.2 cores that serve, each half busy, are 5; 2 cores that hash need 2 instances with 3 each.
  expect(plan.instances).toBe(6);
  expect(plan.postgresCores).toBe(1);
  expect(plan.postgresBytes).toBe(1_000_000 * 500 + 2_000_000 * 400);
});
