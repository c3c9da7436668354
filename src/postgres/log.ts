/** What this folder needs of a logger; a pino logger fits. Nothing that it is given holds a secret. */
export interface PostgresLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
