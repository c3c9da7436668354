import { codeOf } from "../../lib/files.ts";

const sentences: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections: nothing listens there",
  ECONNRESET: "has closed the connection",
  EPIPE: "has closed the connection",
  ETIMEDOUT: "does not answer",
  EHOSTUNREACH: "cannot be reached from this machine",
  ENETUNREACH: "cannot be reached from this machine",
  ENOTFOUND: "has a name that cannot be resolved",
  EAI_AGAIN: "has a name that cannot be resolved now",
  HPE_HEADER_OVERFLOW: "sends more header fields than any answer has",
  EPROTO: "does not speak TLS here, or none that this program accepts",
  CERT_HAS_EXPIRED: "shows a certificate that has expired",
  CERT_NOT_YET_VALID: "shows a certificate that is not valid yet: is this machine's clock right?",
  CERT_REVOKED: "shows a certificate that was revoked",
  ERR_TLS_CERT_ALTNAME_INVALID: "shows a certificate for another name",
};

/** The same for codes that begin alike. */
const families: readonly (readonly [RegExp, string])[] = [
  [/^HPE_/, "does not speak HTTP"],
  [/^ERR_(?:SSL|TLS)/, "does not agree on TLS"],
  [
    // A certificate that leads to no authority known here (X509_V_ERR_…).
    /SELF_SIGNED_CERT|^UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF_SIGNATURE)/,
    "shows a certificate of an authority that is not known here: if it is yours, name its certificate by --ca-file",
  ],
];

/** Why a service could not be asked, as an Error with a sentence; what has no code has its sentence already. */
export function explainConnection(error: unknown, origin: string): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  const family = families.find(([form]) => form.test(code))?.[1];
  return new Error(`The server ${origin} ${sentences[code] ?? family ?? `cannot be asked (${code})`}.`, {
    cause: error,
  });
}
