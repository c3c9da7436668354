import { findNearest } from "../lib/nearest.ts";
import { listVariables } from "./variables.ts";

/** A name in the environment that is close to a variable's, but is none. */
export interface OddName {
  readonly name: string;
  /** The variable that was probably meant. */
  readonly meant: string;
}

/** Only Countersign's names begin like this. So what follows may be far from every known name and still be a typo. */
const families = ["THROTTLE_", "ARGON2_", "BOOTSTRAP_", "BUILTIN_CLIENT", "REFRESH_GRACE", "TRUSTED_PROX"];
/** Kubernetes sets such values in every container, one for each service; a service may be named like a variable. */
const serviceLink = /^(tcp|udp|sctp):\/\//;

/** Finds names that look like a typo: a letter or two off, in other letter case, or with the prefix COUNTERSIGN_. */
export function findOddNames(env: NodeJS.ProcessEnv): OddName[] {
  const variables = listVariables();
  const ours = variables.flatMap(({ name, secret }) => (secret === true ? [name, `${name}_FILE`] : [name]));
  const known = new Set<string>(ours);
  return Object.entries(env).flatMap(([name, value = ""]) => {
    if (value === "" || known.has(name) || serviceLink.test(value)) return [];
    const meant = findMeant(name.toUpperCase().replace(/^COUNTERSIGN_/, ""), ours);
    return meant === null ? [] : [{ name, meant }];
  });
}

function findMeant(name: string, ours: readonly string[]): string | null {
  const max = slipsMax(name);
  const near = findNearest(
    name,
    ours.filter(({ length }) => Math.abs(length - name.length) <= max),
  );
  if (near !== null && near.distance <= max) return near.text;
  const plain = name.replace(/_FILE$/, "");
  if (plain !== name && ours.includes(plain)) return plain;
  return families.some((family) => name.startsWith(family)) ? (findNearest(name, ours)?.text ?? null) : null;
}

/** Fewer slips for a short name, which is close to many words that other programs use. */
function slipsMax(name: string): number {
  return name.length < 6 ? 0 : name.length < 10 ? 1 : 2;
}
