const subjectCharsMax = 72;

/** Verbs that a subject may begin with, in the imperative. Add one here when the change needs it. */
const verbs = new Set(
  `Accept Add Administer Admit Alert Align Allow Answer Apply Ask Audit Avoid Begin Bind Bound Break Bring Build Bump Cache Call Cap Carry Change
  Charge Check Choose Clarify Clean Close Collect Compare Compile Compute Correct Count Cover Create Cut Cross-check
  Declare Decide Default Defer Delete Derive Describe Detect Do Document Draw Drain Drop Emit Enable End Enforce Escape Expect
  Expand Explain Expose Extend Extract Fail Find Finish Fix Fold Follow Forbid Format Free Gate Generate Give Group Guard
  Hand Handle Harden Hash Have Hold Honour Ignore Import Improve Include Index Inline Install Instrument Introduce Isolate Issue
  Join Judge Keep Lead Learn Let Leave Limit Link List Load Log Lower Make Map Mark Match Measure Merge Mention Mend
  Model Move Name Narrow Normalise Normalize Note Offer Open Order Parse Pass Pin Plan Point Prefer Prepare Prevent Print
  Probe Prove Publish Put Quote Raise Read Record Redirect Reduce Refund Refuse Register Reject Release Remember Remove
  Rename Repair Replace Replay Report Require Reserve Reset Restore Restrict Retry Return Reuse Revert Revoke Rewrite Route Run
  Say Send Separate Serve Set Share Shed Shorten Show Sign Simplify Skip Sort Speak Speed Split Spread Start State Stop
  Store Stream Strip Support Survive Switch Take Teach Tell Test Throttle Tidy Tighten Time Trace Track Translate Treat
  Trim Trust Try Turn Type Understand Unify Update Upgrade Use Validate Verify Wait Warn Watch Widen Work Wrap Write`.split(
    /\s+/,
  ),
);

/**
 * @param subject the first line of a commit message
 * @returns what is wrong with it, or null
 */
export function findSubjectProblem(subject: string): string | null {
  if (subject.length > subjectCharsMax) {
    return `it has ${subject.length} characters; ${subjectCharsMax} are the most`;
  }
  if (subject.endsWith(".")) return "it ends with a full stop";
  const [word = ""] = subject.split(" ");
  if (verbs.has(word)) return null;
  return `"${word}" is no verb in the imperative that scripts/commits/find-subject-problem.ts lists`;
}
