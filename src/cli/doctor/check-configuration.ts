import type { ExaminedConfig } from "../../config/config.ts";
import { losesCookies } from "../../config/lost-cookies.ts";
import { isLocalUrl } from "../../lib/is-local-url.ts";
import { type Check, fail, type Finding, ok, warn } from "./finding.ts";

const name = "configuration";

/** Checks the environment, and whether it suits a production start. */
export const checkConfiguration: Check = {
  name,
  needs: [],
  run: async (examined) => {
    const problems = examined.problems.map((problem) =>
      fail(name, problem.replace(/\.$/, ""), "see docs/config.md"),
    );
    const advice = [...adviceOn(examined), ...examined.oddNames.map(describeOddName)];
    if (problems.length > 0) return [...problems, ...advice];
    const kind = examined.config.production ? "production" : "not production";
    const count = examined.given.size;
    return [
      ok(name, `${count} ${count === 1 ? "variable is" : "variables are"} set, and good (${kind})`),
      ...advice,
    ];
  },
};

function adviceOn({ config, given, broken }: ExaminedConfig): Finding[] {
  const findings: Finding[] = [];
  if (given.has("ISSUER") && !broken.has("ISSUER") && losesCookies(config)) {
    const found =
      "browsers drop the cookies of a plain http issuer that is not localhost: nobody stays signed in";
    findings.push(warn("AUTH_COOKIES", found, "serve https and set ISSUER to it, or set AUTH_COOKIES=off"));
  }
  if (!config.production) return findings;
  if (
    given.has("ISSUER") &&
    !broken.has("ISSUER") &&
    config.issuer.startsWith("http:") &&
    !isLocalUrl(config.issuer)
  ) {
    findings.push(
      warn(
        "ISSUER",
        "it is not https: passwords and tokens travel unencrypted",
        "serve https and set ISSUER to it",
      ),
    );
  }
  if (config.tls === null && !given.has("TRUSTED_PROXIES")) {
    const found =
      "TLS ends at a proxy, and TRUSTED_PROXIES is not set: all callers seem to come from the proxy";
    findings.push(
      warn("TRUSTED_PROXIES", found, "set TRUSTED_PROXIES to the addresses of the proxies in front"),
    );
  }
  if (given.has("BOOTSTRAP_PASSWORD")) {
    const mend = "once the first user has signed in, change that password and unset the variable";
    findings.push(warn("BOOTSTRAP_PASSWORD", "the first user's password is still in the environment", mend));
  }
  return findings;
}

function describeOddName({ name, meant }: ExaminedConfig["oddNames"][number]): Finding {
  return warn(name, `there is no such variable; it is close to ${meant}`, `set ${meant}, or unset it`);
}
