import { Counter, Gauge, type Registry } from "prom-client";

/** Records the connections of the public listener. */
export interface ConnectionMetrics {
  /** A connection was accepted, whatever it will speak. @returns to be called at its end */
  opened(): () => void;
  /** The protocol of a connection is known. @returns to be called at its end */
  spoke(version: "1.1" | "2", isTls: boolean): () => void;
  /** The public port presents a certificate from now on. @param end when it ends */
  presents(end: Date): void;
}

/** Registers the metrics of connections. */
export function createConnectionMetrics(registry: Registry): ConnectionMetrics {
  const registers = [registry];
  const accepted = new Counter({
    name: "countersign_tcp_connections_accepted_total",
    help: "Connections that the public port has accepted. If it rises as fast as the calls, clients do not reuse their connections.",
    registers,
  });
  const tcp = new Gauge({
    name: "countersign_tcp_connections",
    help: "Open connections of the public port, including those whose protocol is not known yet.",
    registers,
  });
  const http = new Gauge({
    name: "countersign_http_connections",
    help: "Open HTTP connections of the public port, by HTTP version and by whether they use TLS.",
    labelNames: ["version", "tls"] as const,
    registers,
  });
  // With a label, so that there is no series without a certificate.
  const certificate = new Gauge({
    name: "countersign_tls_certificate_expiry_timestamp_seconds",
    help: "When the certificate of the public port expires; of its chain, the certificate that expires first. No value without TLS.",
    aggregator: "min",
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
