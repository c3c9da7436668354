import type { Reason } from "../../../src/errors/reasons.ts";
import type { Call } from "../../_harness/callers.ts";
import type { WrongField } from "../../_harness/outcome.ts";
import type { World } from "./world.ts";

/** What a service has to be in for an outcome. */
export type Setting =
  /** All is well. */
  | "usual"
  /** Every place for a password hash is taken. */
  | "overloaded"
  /** Each limit of an address has been used up. */
  | "throttled"
  /** PostgreSQL cannot be reached; what was prepared before still stands. */
  | "storeless";

/** A call that is ready to be made. */
export type PreparedCall = Omit<Call, "rpc"> & {
  /** What happens while the call is under way. */
  readonly meanwhile?: () => Promise<void>;
};

/** One outcome of an RPC, and a call that has it, by whatever protocol. */
export interface OutcomeCase {
  readonly outcome: "ok" | Reason;
  /** What the call is like, where an RPC has several cases of one outcome. */
  readonly what?: string;
  readonly setting?: Setting;
  /** Whether each protocol has its own words for it. */
  readonly ownWords?: true;
  /** Whether calls would disturb each other. */
  readonly oneByOne?: true;
  /** Makes what the call needs, anew for each protocol. */
  prepare(world: World): PreparedCall | Promise<PreparedCall>;
  /** The message of a success, by an asymmetric matcher or as it is. */
  readonly message?: unknown;
  /** The fields that a failure names. */
  readonly fields?: readonly WrongField[];
}

/** The outcomes of a service's RPCs, by their names. */
export type ServiceOutcomes = Readonly<Record<string, readonly OutcomeCase[]>>;
