/** The introduction of the document and of the reference page. CommonMark. */
export const introduction = `Countersign signs users in with a name and a password, and gives them a JWT access token and an opaque refresh token.

**To begin:** \`POST /auth/login\` with \`username\` and \`password\`, as a form or as JSON. Send the \`access_token\` of the answer as \`Authorization: Bearer …\` to \`GET /auth/me\`, which says who you are. Before the token expires, trade the \`refresh_token\` for a new one at \`POST /auth/refresh\`.

**In a browser** send \`X-Auth-Mode: cookie\` along, with credentials included: the refresh token then travels in a cookie that no script can read, \`refresh_token\` is null in answers, and \`POST /auth/refresh\` and \`POST /auth/logout\` need no body.

**When something fails,** the answer is a [problem (RFC 9457)](https://www.rfc-editor.org/rfc/rfc9457) with a stable \`reason\`, whose \`type\` leads to a page that explains it. An answer with 429 or 503 says in \`Retry-After\` how long to wait.

The same calls are served as gRPC, gRPC-Web and Connect on the same port, with the same reasons.`;
