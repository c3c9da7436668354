/** The deletion of a client, which the end of its sessions belongs to. It is known for a day after that. */
export interface ClientDeletion {
  readonly clientId: string;
  readonly deletedAt: Date;
  /** How many sessions have been ended so far. */
  readonly sessionsEnded: number;
  /** When the last one was; null while some may be left. */
  readonly finishedAt: Date | null;
}
