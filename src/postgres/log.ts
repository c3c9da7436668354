/** The part of a logger that this folder uses; a pino logger fits. No log line holds a secret. */
export interface PostgresLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
