import type { ClientCredentials } from "../../domain/client/clients.ts";
import { AppError } from "../../errors/app-error.ts";
import { decodeBase64 } from "../../lib/base64.ts";
import { parseCredentials } from "../../lib/http-text.ts";
import type { Call } from "../call.ts";

/**
 * How a request authenticates its client (RFC 6749 section 2.3): by HTTP Basic, or by parameters.
 *
 * @param request with client_id and client_secret; empty where left out
 * @throws AppError malformed_request where the header cannot be read, or where it is done twice: two
 *   secrets, or two different ids
 */
export function readClientCredentials(
  request: { readonly clientId: string; readonly clientSecret: string },
  call: Pick<Call, "header">,
): ClientCredentials {
  const parameters = { id: request.clientId, secret: request.clientSecret };
  const basic = readBasic(call.header("authorization"));
  if (basic === null) return parameters;
  const twoSecrets = basic.secret !== "" && parameters.secret !== "";
  const twoIds = parameters.id !== "" && parameters.id !== basic.id;
  if (twoSecrets || twoIds) {
    throw new AppError("malformed_request", "The client is authenticated in two ways.");
  }
  return { id: basic.id, secret: basic.secret === "" ? parameters.secret : basic.secret };
}

/** RFC 7617; any other scheme is somebody else's. Both parts are form-encoded (RFC 6749 section 2.3.1). Empty id and secret are none. */
function readBasic(authorization: string | undefined): ClientCredentials | null {
  const credentials = parseCredentials(authorization);
  if (credentials?.scheme !== "basic") return null;
  const bytes = credentials.token68 === null ? null : decodeBase64(credentials.token68);
  if (bytes === null) throw unreadable();
  const [id, secret] = splitOnce(decodeUtf8(bytes));
  return id === "" && secret === "" ? null : { id: formDecode(id), secret: formDecode(secret) };
}

function splitOnce(pair: string): [string, string] {
  const colon = pair.indexOf(":");
  if (colon === -1) throw unreadable();
  return [pair.slice(0, colon), pair.slice(colon + 1)];
}

function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw unreadable();
  }
}

function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw unreadable();
  }
}

function unreadable(): AppError {
  return new AppError("malformed_request", "The Authorization header cannot be read as HTTP Basic.");
}
