let loading: Promise<ReadonlySet<string>> | null = null;

/**
 * Whether a password is among the 49,000 that guessers try first (the list of
 * `@zxcvbn-ts/language-common`, in lower case). It is loaded at the first question.
 *
 * @param folded the case-folded password
 */
export async function isCommonPassword(folded: string): Promise<boolean> {
  loading ??= import("@zxcvbn-ts/language-common").then(
    ({ dictionary }) => new Set(dictionary["passwords-common"]),
  );
  return (await loading).has(folded);
}
