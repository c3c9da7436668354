import type { Client } from "./client.ts";

const charsMax = 512;
/** RFC 8252 section 8.3: an address, since the name localhost can be made to mean another machine. */
const loopback: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]"]);

/**
 * Whether an address can be registered for redirects (RFC 9700 section 2.1): it is compared to the letter, so that it must
 * be the one spelling of an absolute URL, without fragment, wildcard and credentials. It is https, or, for an app on a
 * user's device, http on that device (RFC 8252 section 7.3).
 */
export function isRedirectUri(text: string, { confidential }: Pick<Client, "confidential">): boolean {
  if (text.length > charsMax || /[#*]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password, pathname, href } = new URL(text);
  if (username !== "" || password !== "" || (href !== text && !(pathname === "/" && isBare(href, text)))) {
    return false;
  }
  return protocol === "https:" || (protocol === "http:" && !confidential && loopback.has(hostname));
}

/** Whether they differ in nothing but the slash of an empty path. */
function isBare(href: string, text: string): boolean {
  return href === `${text}/` || href === text.replace("?", "/?");
}
