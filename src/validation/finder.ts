import type { DescMessage, Message } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import type { Validator } from "@bufbuild/protovalidate";
import { createMessageChecks } from "./compile-message.ts";
import { UnknownRule, type Violation } from "./rule.ts";

/** Finds what is wrong with a message, by the rules in its proto (buf.validate). */
export type FindViolations = (message: Message) => readonly Violation[];

/** The same of a message whose rules have to be interpreted: there is a promise to wait for. */
export type FindInterpreted = (message: Message) => Promise<readonly Violation[]>;

/** How the messages of one type are checked. */
export type Finder =
  | { readonly kind: "compiled"; readonly find: FindViolations }
  | { readonly kind: "interpreted"; readonly find: FindInterpreted };

/**
 * Compiles the rules of a message into a plain function. If it has a rule that has no plain check (a CEL expression, a
 * float, a time), @bufbuild/protovalidate reads all of its rules; it is loaded for that alone, at once. Both report the
 * same violations in the same order.
 */
export function createFinder(desc: DescMessage): Finder {
  const find = compileFinder(desc);
  return find === null ? createInterpreted(desc) : { kind: "compiled", find };
}

/** @returns null if a rule of the message, or of one within it, has no plain check @internal */
export function compileFinder(desc: DescMessage): FindViolations | null {
  try {
    // Its own checks: those of a message that fails are not whole.
    const check = createMessageChecks()(desc);
    if (check === null) return () => none;
    return (message) => {
      const found: Violation[] = [];
      check(message, "", found);
      return found;
    };
  } catch (error) {
    if (error instanceof UnknownRule) return null;
    throw error;
  }
}

const none: readonly Violation[] = [];

// One for all messages; null until one needs it.
let interpreter: Promise<Validator> | null = null;

async function loadInterpreter(): Promise<Validator> {
  const { createValidator } = await import("@bufbuild/protovalidate");
  return createValidator();
}

function createInterpreted(desc: DescMessage): Finder {
  const loading = (interpreter ??= loadInterpreter());
  const find: FindInterpreted = async (message) => {
    const result = (await loading).validate(desc, message);
    if (result.kind === "valid") return none;
    if (result.kind === "error") throw result.error;
    return result.violations.map(({ field, ruleId, message: text }) => {
      return { field: pathToString(field), ruleId, message: text };
    });
  };
  return { kind: "interpreted", find };
}
