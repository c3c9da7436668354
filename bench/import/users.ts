/** A line of a file that `user import` reads. Every second user has an id from elsewhere, in no order. */
export function importLine(index: number): string {
  const named = {
    username: `user-${index}`,
    email: `user-${index}@example.org`,
    password_hash: "$2y$04$cTD3D5HfyAtuNElYwWDfsu0F.8wnRLhXyJOtKyY0rV3i39ifErK.u",
    roles: ["reader"],
  };
  const digits = ((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, "0");
  const id = `${digits}-6f5b-4c4a-9d3e-${index.toString(16).padStart(12, "0")}`;
  return `${JSON.stringify(index % 2 === 0 ? named : { ...named, id })}\n`;
}

/** The rows of the audit trail that an import has written. */
export const importedRows = "audit_events where type = 'user.created' and reason = 'imported'";

/** How many seconds the first and the last users took, by the times of the transactions that wrote them. $1: how many; $2: all but so many. */
export const secondsOfEnds = `select extract(epoch from max(occurred_at) - min(occurred_at))::float as seconds from (
    select occurred_at, row_number() over (order by id) as place from ${importedRows}
  ) as placed where place <= $1 or place > $2 group by place <= $1 order by place <= $1 desc`;
