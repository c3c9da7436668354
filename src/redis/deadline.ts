/**
 * What a server answers, where it does so within a time.
 *
 * Time that this process took for itself is not held against the server: an answer that had arrived when the
 * time was over, and that a busy event loop had not come to read, counts.
 *
 * @throws Error where there is no answer in time, and what the answer fails with
 */
export function withinDeadline<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    // Timers run before sockets are read, immediates after.
    const timer = setTimeout(() => setImmediate(() => reject(late(timeoutMs))), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function late(timeoutMs: number): Error {
  return Object.assign(new Error(`there was no answer within ${timeoutMs} ms`), { code: "ETIMEDOUT" });
}
