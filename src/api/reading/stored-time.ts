const form =
  /^[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;

/** Whether a text is a time as the store writes it: RFC 3339 in UTC, with six digits of a second. */
export function isStoredTime(text: string): boolean {
  return form.test(text) && isOnCalendar(text);
}

/** Whether the day of a time in UTC (RFC 3339) is one: February has no 30th, which forms let through and the store does not. */
export function isOnCalendar(time: string): boolean {
  const date = new Date(time);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === time.slice(0, 10);
}
