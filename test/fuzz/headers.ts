import type { Dictionary } from "./bodies.ts";
import type { Random } from "./random.ts";
import { anyText, plainText } from "./texts.ts";

/** A header field. */
export type Field = readonly [name: string, value: string];

const mediaTypes = [
  "application/json",
  "application/x-www-form-urlencoded",
  "application/proto",
  "application/grpc",
  "application/grpc+json",
  "application/grpc-web",
  "application/grpc-web+proto",
  "application/grpc-web-text",
  "application/connect+json",
  "application/connect+proto",
  "application/problem+json",
  "application/x-ndjson",
  "text/event-stream",
  "text/html",
  "image/png",
  "multipart/form-data",
  "application/*",
  "*/*",
] as const;

/** A media type, or a list of them with weights, as a caller might write it or nobody would. */
export function anyMediaType(random: Random): string {
  const one = (): string => {
    const type = random.chance(0.9) ? random.pick(mediaTypes) : `${plainText(random)}/${plainText(random)}`;
    const parameters = random.many(2, () =>
      random.pick([
        "charset=utf-8",
        'charset="UTF-8"',
        "charset=latin1",
        "charset",
        "q=0",
        "q=0.5",
        "q=1.0000",
        "q=x",
        "q=",
        'x="a,b;c\\""',
        'x="',
        "",
        "=",
      ]),
    );
    return [type, ...parameters].join(random.pick([";", "; ", " ; "]));
  };
  return random.chance(0.8) ? one() : random.many(6, one).join(random.pick([",", ", ", ",,"]));
}

/** Credentials of every kind. @param tokens tokens that are good, or were */
function anyAuthorization(random: Random, tokens: readonly string[]): string {
  switch (random.below(6)) {
    case 0:
      return `Bearer ${random.pick(tokens)}`;
    case 1:
      return `Bearer ${random.pick(tokens).slice(0, random.below(300))}${plainText(random)}`;
    case 2:
      return `Basic ${btoa(`${plainText(random)}:${plainText(random)}`)}`;
    case 3:
      return `Basic ${random.pick(["", "!", "Og==", "Y291bnRlcnNpZ246", "/zo=", "YTpi, Basic YTpi"])}`;
    case 4:
      return `${random.pick(["bearer", "BEARER", "Digest", "Basic", ""])} ${visible(anyText(random))}`;
    default:
      return visible(anyText(random));
  }
}

/** Fields that the service looks at, and some that it does not, with values good and bad. */
export function anyFields(random: Random, { tokens, careful }: Dictionary): Field[] {
  if (careful === true) return random.chance(0.6) ? [["authorization", `Bearer ${random.pick(tokens)}`]] : [];
  const makers: readonly (() => Field)[] = [
    () => ["accept", anyMediaType(random)],
    () => ["authorization", anyAuthorization(random, tokens)],
    () => ["authorization", `Bearer ${random.pick(tokens)}`],
    () => ["x-request-id", random.chance(0.5) ? plainText(random) : visible(anyText(random))],
    () => [
      "x-forwarded-for",
      random.pick(["1.2.3.4", "::1, 2.3.4.5", "unknown", ",,,", visible(anyText(random))]),
    ],
    () => ["content-encoding", random.pick(["identity", "gzip", "br", "", "gzip, gzip", plainText(random)])],
    () => ["grpc-timeout", random.pick(["1S", "100m", "0n", "S", "-1S", "999999999H", plainText(random)])],
    () => ["connect-timeout-ms", random.pick(["1000", "0", "-1", "1.5", "99999999999", plainText(random)])],
    () => ["connect-protocol-version", random.pick(["1", "2", "", plainText(random)])],
    () => ["grpc-encoding", random.pick(["identity", "gzip", "br", plainText(random)])],
    () => ["grpc-accept-encoding", random.pick(["gzip", "identity,gzip", ",", plainText(random)])],
    () => ["user-agent", visible(anyText(random))],
    () => ["cookie", visible(anyText(random))],
    () => ["origin", random.pick(["null", "https://example.org", visible(anyText(random))])],
    () => ["access-control-request-method", random.pick(["GET", "POST", plainText(random)])],
    () => [
      `x-${plainText(random)
        .toLowerCase()
        .replaceAll(/[^a-z0-9]/g, "")}`,
      visible(anyText(random)),
    ],
  ];
  return random.many(5, () => random.pick(makers)());
}

/** What a field's value can hold: visible ASCII, spaces and tabs, and bytes above. Not longer than a header may be. */
function visible(text: string): string {
  return text
    .replaceAll(/[^\t -~\u00a0-\u00ff]/g, "")
    .slice(0, 2_000)
    .trim();
}
