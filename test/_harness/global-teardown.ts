/** Ends what the global setup started. */
export default async function globalTeardown(): Promise<void> {
  const { stopTestStores } = globalThis as { stopTestStores?: () => Promise<unknown> };
  await stopTestStores?.();
}
