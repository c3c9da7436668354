/**
 * A time as every table shows it: RFC 3339 in UTC, to the second. Options that ask for a time take it.
 *
 * @param absent what stands for none
 */
export function presentTime(time: Date | string | null, absent = "-"): string {
  if (time === null) return absent;
  const text = typeof time === "string" ? time : time.toISOString();
  return `${text.slice(0, 19)}Z`;
}
