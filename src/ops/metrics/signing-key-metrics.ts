import { Gauge, type Registry } from "prom-client";
import type { SigningKeys } from "../../domain/key/signing-keys.ts";

/** What shows the signing keys among the metrics. */
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
    help: "When the key that signs now began to. Its age beyond SIGNING_KEY_LIFETIME means that no new key could be made.",
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
    help: "Keys in the JWK set: the one that signs, the next one, and those whose tokens still live.",
    registers,
  });
  const refreshed = new Gauge({
    name: "countersign_signing_keys_refreshed_timestamp_seconds",
    help: "When the keys were last read from the database, which is done every 30 s.",
    registers,
  });
  return {
    watch(source) {
      keys = source;
    },
  };
}
