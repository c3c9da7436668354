import type { CallName, Kind } from "./contender.ts";
import type { Figures } from "./measure.ts";
import type { Report } from "./results.ts";
import { isInvalid } from "./targets.ts";

const titles: Readonly<Partial<Record<CallName, string>>> = {
  login: "Login",
  refresh: "Refresh",
  introspectHot: "Introspection, one token again and again",
  introspectOnce: "Introspection, each token once",
  clientCredentials: "Client credentials grant",
  me: "GET /auth/me, one token",
  introspectGrpc: "Introspection by gRPC, one token",
};
const kinds: Readonly<Record<Kind, string>> = {
  ours: "Countersign",
  peer: "other servers",
  least: "the least Node service that does the job",
  floor: "bare servers that only answer",
};
const style = `
  svg { --paper: #ffffff; --ink: #1b1f24; --soft: #5d6673; --line: #e4e8ed;
    --ours: #2563c9; --peer: #d9773a; --least: #8a94a3; --floor: #c8cfd8; }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0d1117; --ink: #e6edf3; --soft: #97a1ae; --line: #262d36;
      --ours: #5b9bff; --peer: #e68a4f; --least: #7a8594; --floor: #414b58; }
  }
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: var(--ink); }
  .title { font-size: 20px; font-weight: 650; } .call { font-size: 14px; font-weight: 650; }
  .soft { fill: var(--soft); } .small { font-size: 12px; } .own { font-weight: 650; }
  .figure { font-variant-numeric: tabular-nums; }
  .ours { fill: var(--ours); } .peer { fill: var(--peer); } .least { fill: var(--least); } .floor { fill: var(--floor); }
  .spread { stroke: var(--ink); stroke-opacity: 0.55; stroke-width: 1.5; } .rule { stroke: var(--line); }
`;
const [width, margin, labelWidth, figureWidth] = [880, 28, 232, 92];
const [barHeight, pitch] = [15, 23];
const barsAt = margin + labelWidth;
const barsWidth = width - margin - figureWidth - barsAt;

/** Draws how many requests a second each server answered: a bar for each, a scale for each call. SVG, light or dark. */
export function drawChart({ figures, machine, at, commit, quiet }: Report): string {
  const parts = [
    `<text class="title" x="${margin}" y="44">Requests a second, side by side</text>`,
    drawLegend(figures, 72),
  ];
  let y = 104;
  for (const [call, title] of Object.entries(titles)) {
    const rows = figures.filter((one) => one.call === call);
    if (rows.length === 0) continue;
    parts.push(`<line class="rule" x1="${margin}" x2="${width - margin}" y1="${y - 8}" y2="${y - 8}"/>`);
    parts.push(`<text class="call" x="${margin}" y="${y + 14}">${title}</text>`);
    y += 26;
    const most = Math.max(...rows.map(({ perSecond }) => perSecond.max));
    for (const row of rows.toSorted((one, other) => other.perSecond.median - one.perSecond.median)) {
      parts.push(drawBar(row, y, most));
      y += pitch;
    }
    y += 22;
  }
  const caption = [
    `${machine.cores} cores, load generator included; 16 requests at once; medians, thin lines from minimum to maximum`,
    `Node ${machine.node}, commit ${commit}, ${at}${quiet ? "" : "; the machine was not quiet"}. Each call has a scale of its own.`,
  ];
  for (const text of caption) {
    parts.push(`<text class="soft small" x="${margin}" y="${y + 6}">${escape(text)}</text>`);
    y += 18;
  }
  const height = y + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>Requests a second, side by side</title><style>${style}</style>
<rect width="100%" height="100%" rx="10" fill="var(--paper)"/>
${parts.join("\n")}
</svg>
`;
}

function drawLegend(figures: readonly Figures[], y: number): string {
  let x = margin;
  return Object.entries(kinds)
    .filter(([kind]) => figures.some((one) => one.kind === kind))
    .map(([kind, text]) => {
      const item = `<rect class="${kind}" x="${x}" y="${y - 10}" width="12" height="12" rx="3"/><text class="soft small" x="${x + 18}" y="${y}">${text}</text>`;
      x += 42 + text.length * 6.2;
      return item;
    })
    .join("");
}

function drawBar(row: Figures, y: number, most: number): string {
  const { contender, kind, perSecond } = row;
  const scale = (value: number) => (value / most) * barsWidth;
  const middle = y + barHeight / 2;
  const own = kind === "ours" ? " own" : "";
  const label = `<text class="small${own}" x="${barsAt - 12}" y="${middle + 4.5}" text-anchor="end">${escape(contender)}</text>`;
  if (isInvalid(row)) {
    return `${label}<text class="soft small" x="${barsAt}" y="${middle + 4.5}">invalid: requests failed</text>`;
  }
  const [from, to] = [barsAt + scale(perSecond.min), barsAt + scale(perSecond.max)];
  return [
    label,
    `<rect class="${kind}" x="${barsAt}" y="${y}" width="${Math.max(2, scale(perSecond.median)).toFixed(1)}" height="${barHeight}" rx="3"/>`,
    `<line class="spread" x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${middle}" y2="${middle}"/>`,
    `<text class="small figure${own}" x="${(to + 10).toFixed(1)}" y="${middle + 4.5}">${Math.round(perSecond.median).toLocaleString("en")}</text>`,
  ].join("");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
