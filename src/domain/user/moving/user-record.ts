import type { FieldCode } from "../../../errors/field-codes.ts";
import type { UserContent } from "../user-content.ts";

/** A user as somebody brings it in, or takes it out: nothing of it is checked. */
export interface UserRecord extends UserContent {
  /** What the user's tokens have as their `sub`; null for a new one. */
  readonly id: string | null;
  readonly status: string;
  readonly mustChangePassword: boolean;
  /** Null for now. */
  readonly createdAt: Date | null;
  readonly lastLoginAt: Date | null;
  /** In any spelling that `importHash` reads; null for who has no password. */
  readonly passwordHash: string | null;
  /** The id of the pepper of a hash of Countersign's. */
  readonly pepperId: string | null;
}

/** Why a record is refused. It holds nothing of the record. */
export interface RecordProblem {
  /** The member of the record; empty for the whole. */
  readonly field: string;
  /** For programs. `malformed`: what was read is no record. */
  readonly code: FieldCode | "already_exists" | "conflict" | "malformed";
  /** For people: a sentence whose subject is the field. */
  readonly detail: string;
}
