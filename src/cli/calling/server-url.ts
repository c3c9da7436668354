import { isLocalUrl } from "../../lib/is-local-url.ts";
import { UsageError } from "../command.ts";

/**
 * Reads the address of a service as somebody gave it.
 *
 * @param allowsHttp whether tokens and passwords may travel over plain http to another machine
 * @returns it without a slash at its end
 * @throws UsageError
 */
export function readServerUrl(text: string, allowsHttp: boolean): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError("The server must be an address such as https://id.example.org.");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError("The server must be an address without a name, a password, a query or a fragment.");
  }
  if (url.protocol === "http:" && !isLocalUrl(url.href) && !allowsHttp) {
    throw new UsageError(
      "Over plain http anybody on the way could read tokens and passwords: use https, or add --allow-http.",
    );
  }
  return url.href.replace(/\/+$/, "");
}
