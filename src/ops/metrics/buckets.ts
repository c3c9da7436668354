/** Upper bounds, in seconds, for what a caller waits for: a refresh takes 2 ms, a login 30 ms, a deadline 15 s. */
export const callBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15,
];

/** Upper bounds, in seconds, for one step of a call: a statement, a command, a wait for a connection. */
export const stepBuckets: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5];
