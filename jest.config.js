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
  testSequencer: "<rootDir>/test/_harness/longest-first.js",
  // Most files wait for stores and servers most of their time: two for each of the two cores of a small machine.
  maxWorkers: 4,
};
