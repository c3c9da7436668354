import { Counter, Gauge, type Registry } from "prom-client";

/** What the public listener tells of its connections. */
export interface ConnectionMetrics {
  /** A connection was accepted, whatever it will speak. @returns to be called at its end */
  opened(): () => void;
  /** A connection has said what it speaks. @returns to be called at its end */
  spoke(version: "1.1" | "2", isTls: boolean): () => void;
  /** The public port presents a certificate from now on. @param end when it ends */
  presents(end: Date): void;
}

/** Registers the metrics of connections. */
export function createConnectionMetrics(registry: Registry): ConnectionMetrics {
  const registers = [registry];
  const accepted = new Counter({
    name: "countersign_tcp_connections_accepted_total",
    help: "Connections that the public port has accepted. It rises much faster than calls where clients do not keep theirs.",
    registers,
  });
  const tcp = new Gauge({
    name: "countersign_tcp_connections",
    help: "Connections of the public port that are open, those that have not said what they speak among them.",
    registers,
  });
  const http = new Gauge({
    name: "countersign_http_connections",
    help: "Connections of the public port that speak HTTP, by its version and by whether it is in TLS.",
    labelNames: ["version", "tls"] as const,
    registers,
  });
  // With a label, so that there is no series where there is no certificate.
  const certificate = new Gauge({
    name: "countersign_tls_certificate_expiry_timestamp_seconds",
    help: "When the certificate that the public port presents ends; of its chain, the first that does. None without TLS.",
    labelNames: ["listener"] as const,
    registers,
  });
  return {
    opened() {
      accepted.inc();
      tcp.inc();
      return () => tcp.dec();
    },
    spoke(version, isTls) {
      const labels = { version, tls: String(isTls) };
      http.inc(labels);
      return () => http.dec(labels);
    },
    presents: (end) => certificate.set({ listener: "public" }, end.getTime() / 1000),
  };
}
