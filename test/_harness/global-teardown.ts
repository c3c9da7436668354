/** Ends what the global setup started. */
export default async function globalTeardown(): Promise<void> {
  const { stopShared } = globalThis as { stopShared?: () => Promise<unknown> };
  await stopShared?.();
}
