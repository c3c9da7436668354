/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test", "<rootDir>/src"],
  testMatch: ["**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.ts$": "<rootDir>/test/_harness/strip-types.js" },
  testTimeout: 30_000,
  // The tests start real stores and servers, which want the cores too.
  maxWorkers: 2,
};
