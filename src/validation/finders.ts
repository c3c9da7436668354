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
 * Compiles the rules of messages into plain functions, once. Where a message has a rule that they do not know (a CEL
 * expression, a float, a time), @bufbuild/protovalidate reads all of its rules; it is loaded for that alone, at once.
 * Both report the same violations in the same order.
 */
export function createFinders(descs: Iterable<DescMessage>): ReadonlyMap<DescMessage, Finder> {
  const finders = new Map<DescMessage, Finder>();
  let interpreter: Promise<Validator> | undefined;
  for (const desc of new Set(descs)) {
    const find = compileFinder(desc);
    if (find !== null) finders.set(desc, { kind: "compiled", find });
    else finders.set(desc, createInterpreted(desc, (interpreter ??= loadInterpreter())));
  }
  return finders;
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

async function loadInterpreter(): Promise<Validator> {
  const { createValidator } = await import("@bufbuild/protovalidate");
  return createValidator();
}

function createInterpreted(desc: DescMessage, interpreter: Promise<Validator>): Finder {
  const find: FindInterpreted = async (message) => {
    const result = (await interpreter).validate(desc, message);
    if (result.kind === "valid") return none;
    if (result.kind === "error") throw result.error;
    return result.violations.map(({ field, ruleId, message: text }) => {
      return { field: pathToString(field), ruleId, message: text };
    });
  };
  return { kind: "interpreted", find };
}
