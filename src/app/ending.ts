/** What a start has opened, to be closed in reverse. */
export interface Ending {
  /** @param name what is closed, for the operator who asks what the end waits for */
  push(name: string, close: () => Promise<void> | void): void;
  /** Closes all; one that fails keeps none of the others open, and is thrown in the end. */
  run(): Promise<void>;
  /** What is being closed now; null for nothing. */
  readonly current: string | null;
}

/** Builds the list; it is empty. */
export function createEnding(): Ending {
  const steps: { readonly name: string; close(): Promise<void> | void }[] = [];
  let current: string | null = null;
  return {
    push: (name, close) => steps.push({ name, close }),
    async run() {
      const failures: unknown[] = [];
      for (const step of steps.splice(0).toReversed()) {
        current = step.name;
        try {
          await step.close();
        } catch (error) {
          failures.push(error);
        }
      }
      current = null;
      if (failures.length > 0) throw failures[0];
    },
    get current() {
      return current;
    },
  };
}
