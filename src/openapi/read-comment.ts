import type { AnyDesc, DescFile } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";
import { type Reason, reasons } from "../errors/reasons.ts";

/** The parts of the leading comment of a proto element. */
export interface Comment {
  /** The first sentence, without its full stop. */
  readonly summary: string;
  /** The comment without the paragraph of reasons, as CommonMark. */
  readonly text: string;
  /** The text without its first sentence; empty if there is no more. */
  readonly rest: string;
  /** The reasons for which it can fail, in the comment's order. */
  readonly reasons: readonly FailureNote[];
}

/** A reason that an RPC names in its comment. */
export interface FailureNote {
  readonly reason: Reason;
  /** The note in parentheses after it. */
  readonly note: string | null;
}

const lastParagraphs = /(?:^|\n\n)Reasons: ([^]*)$/;
const reasonForm = /^([a-z_]+)(?: \(([^()]+)\))?$/;

/**
 * Reads a leading comment. Its lines are joined to paragraphs; one that begins with `Reasons:` lists
 * names of the registry, separated by commas, each with an optional note in parentheses.
 *
 * @throws Error if a reason is not in the registry
 */
export function readComment(desc: Exclude<AnyDesc, DescFile>): Comment {
  const leading = (getComments(desc).leading ?? "").replaceAll(/^ /gm, "").trim();
  const list = lastParagraphs.exec(leading);
  const paragraphs = leading.slice(0, list?.index).split(/\n{2,}/);
  const text = paragraphs.map(joinLines).join("\n\n").trim();
  const [sentence = ""] = text.split(/(?<=\.)\s/, 1);
  return {
    summary: sentence.replace(/\.$/, ""),
    text,
    rest: text.slice(sentence.length).trim(),
    reasons: list?.[1] === undefined ? [] : readReasons(joinLines(list[1]), desc.toString()),
  };
}

/** A list keeps its lines. */
function joinLines(paragraph: string): string {
  return paragraph.replaceAll(/\n(?!\s*[-*] )\s*/g, " ");
}

function readReasons(list: string, owner: string): FailureNote[] {
  return list
    .replace(/\.$/, "")
    .split(/,\s*/)
    .map((item) => {
      const [, name = "", note = null] = reasonForm.exec(item) ?? [];
      if (!isReason(name)) throw new Error(`${owner} can fail for "${item}", which is not in the registry`);
      return { reason: name, note };
    });
}

function isReason(name: string): name is Reason {
  return Object.hasOwn(reasons, name);
}
