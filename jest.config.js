/** @type {import("jest").Config} */
export default {
  testEnvironment: "node",
  roots: ["<rootDir>/test", "<rootDir>/src"],
  testMatch: ["**/*.test.ts"],
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.ts$": "<rootDir>/test/_harness/strip-types.js" },
  globalSetup: "<rootDir>/test/_harness/global-setup.ts",
  globalTeardown: "<rootDir>/test/_harness/global-teardown.ts",
  testTimeout: 120_000,
  // The tests start real stores and servers, which want the cores too.
  maxWorkers: 2,
};
