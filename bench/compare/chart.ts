import type { CallName } from "./contender.ts";
import type { Figures } from "./measure.ts";
import type { Report } from "./results.ts";

const titles: Readonly<Partial<Record<CallName, string>>> = {
  login: "logins/s",
  refresh: "refreshes/s",
  introspectHot: "introspections/s, one token",
  introspectOnce: "introspections/s, each token once",
  clientCredentials: "client credentials grants/s",
  me: "GET /auth/me /s",
  introspectGrpc: "introspections/s by gRPC",
};
const colours: Readonly<Record<Figures["kind"], string>> = {
  ours: "#1f5fbf",
  peer: "#c2571a",
  least: "#6b7280",
  floor: "#c3c8d0",
};
const [width, labelWidth, barHeight, gap] = [860, 250, 16, 5];

/** Draws how many requests a second each contender answered: a bar for each, a scale for each call. SVG. */
export function drawChart({ figures, machine, at, commit }: Report): string {
  const parts: string[] = [];
  let y = 34;
  for (const [call, title] of Object.entries(titles)) {
    const rows = figures.filter((one) => one.call === call);
    if (rows.length === 0) continue;
    parts.push(`<text x="0" y="${y}" font-weight="600">${title}</text>`);
    y += 8;
    const most = Math.max(...rows.map(({ perSecond }) => perSecond.max));
    for (const row of rows.toSorted((one, other) => other.perSecond.median - one.perSecond.median)) {
      parts.push(drawBar(row, y, most));
      y += barHeight + gap;
    }
    y += 24;
  }
  const caption = `${machine.cores} cores, load generator included; medians, lines from minimum to maximum; ${at}, ${commit}`;
  parts.push(`<text x="0" y="${y}" fill="#6b7280">${escape(caption)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 12}" viewBox="0 0 ${width} ${y + 12}" font-family="system-ui, sans-serif" font-size="12" fill="#111827" role="img"><title>Requests a second, side by side</title><rect width="100%" height="100%" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

function drawBar({ contender, kind, perSecond }: Figures, y: number, most: number): string {
  const scale = (value: number) => (value / most) * (width - labelWidth - 90);
  const middle = y + barHeight / 2;
  const [from, to] = [labelWidth + scale(perSecond.min), labelWidth + scale(perSecond.max)];
  return [
    `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end">${escape(contender)}</text>`,
    `<rect x="${labelWidth}" y="${y}" width="${scale(perSecond.median).toFixed(1)}" height="${barHeight}" fill="${colours[kind]}"/>`,
    `<line x1="${from.toFixed(1)}" x2="${to.toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#111827"/>`,
    `<text x="${(to + 8).toFixed(1)}" y="${middle + 4}">${Math.round(perSecond.median).toLocaleString("en")}</text>`,
  ].join("");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
