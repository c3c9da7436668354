import { Gauge, type Registry } from "prom-client";
import type { SigningKeys } from "../../domain/key/signing-keys.ts";

/** The metrics of the signing keys. */
export interface SigningKeyMetrics {
  /** Where the keys are read from at each scrape. */
  watch(keys: Pick<SigningKeys, "current" | "published" | "refreshedAt">): void;
}

/** Registers the metrics of signing keys. */
export function createSigningKeyMetrics(registry: Registry): SigningKeyMetrics {
  const registers = [registry];
  let keys: Parameters<SigningKeyMetrics["watch"]>[0] | null = null;
  const activated = new Gauge({
    name: "countersign_signing_key_activated_timestamp_seconds",
    help: "When the key that signs now began to sign. If that is longer ago than SIGNING_KEY_LIFETIME, no new key could be made.",
    aggregator: "min",
    registers,
    collect() {
      if (keys === null) return;
      activated.set(keys.current.activatedAt);
      published.set(keys.published.length);
      refreshed.set(keys.refreshedAt);
    },
  });
  const published = new Gauge({
    name: "countersign_signing_keys_published",
    help: "Keys in the JWK set: the one that signs, the next one, and those whose tokens have not expired yet.",
    aggregator: "max",
    registers,
  });
  const refreshed = new Gauge({
    name: "countersign_signing_keys_refreshed_timestamp_seconds",
    help: "When the keys were last read from the database, which happens every second.",
    aggregator: "min",
    registers,
  });
  return {
    watch(source) {
      keys = source;
    },
  };
}
