import type { DescField, Registry } from "@bufbuild/protobuf";

/** How messages are written where ProtoJSON leaves a choice. */
export interface JsonStyle {
  /** The names of the members: those of the proto in declared order, or ProtoJSON's own by the fields' numbers. */
  readonly names: "proto" | "json";
  /** Whether fields that do not track presence are written though they are zero. */
  readonly writesZeros: boolean;
  /** Whether an unset field that tracks presence is written as null; without null it is left out. */
  readonly isNullable: (field: DescField) => boolean;
  /** Whether a field is left out while it is zero, whatever `writesZeros` says; no field is by default. */
  readonly omitsZero?: (field: DescField) => boolean;
  /** The messages that an Any may hold; undefined if there is none. */
  readonly registry: Registry | undefined;
}
