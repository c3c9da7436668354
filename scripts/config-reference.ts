import { listVariables } from "../src/config/variables.ts";

const introduction = `# Configuration

<!-- Generated from src/config/variables.ts by \`npm run generate\`. Do not edit. -->

Countersign is configured only by environment variables. If none is set, it runs with an embedded PostgreSQL, and
makes its secrets and a first user itself. All of this is kept under \`DATA_DIR\`.

- An empty value counts as unset. White space around a value is removed; of a password, only line breaks at
  its end are removed.
- A name that is close to one of these is probably a typo: the start and \`countersign doctor\` warn about it.
- A malformed value stops the start, which lists all problems at once. It repeats no value, since values can be
  secrets.
- \`countersign doctor\` checks the configuration and what it refers to, and changes nothing.
- Durations have a unit: \`500ms\`, \`30s\`, \`15m\`, \`12h\`, \`30d\`. Switches are \`on\` or \`off\`.
`;

const sections = `## Production

A start is a production start when \`NODE_ENV=production\`, when \`DATABASE_URL\` is set, or when \`ISSUER\` begins
with \`https:\`. \`SECRET_KEY\` and \`ISSUER\` are required then, since instances with different secrets do not accept one
another's tokens.

Behind a proxy, set \`TRUSTED_PROXIES\` to the proxy's addresses; otherwise all callers seem to come from the proxy. Keep
\`OPS_PORT\` private: it shows which stores are down.

## SECRET_KEY

A list of secrets, separated by commas, each of at least 32 characters. \`openssl rand -hex 32\` makes one. White
space around an entry is ignored. Refresh tokens are derived from the secrets, and the signing keys in the
database are encrypted with them, so the database alone yields neither. The first entry is used for new tokens; all are accepted.

To change it without signing anybody out, deploy twice:

1. Add the new secret **last**, on every instance: \`SECRET_KEY=old,new\`. All instances accept it, none uses it for new tokens.
2. Move it **first**, on every instance: \`SECRET_KEY=new,old\`.

The service then encrypts the signing keys again under the first entry. Two things still depend on an old entry:

- A session whose refresh token was issued under it. The session's next refresh replaces that token. So the last such
  session is gone after \`SESSION_IDLE_TTL\`; if you drop the entry earlier, those sessions end.
- A signing key that is still encrypted with it. Without the entry the service does not start. \`countersign doctor\`
  lists the entries that signing keys depend on.

Without \`SECRET_KEY\` and with the embedded database, one is made at the first start and kept, 0600, in
\`DATA_DIR/secret-key\`. A backup of the database is useless without it.

## Secrets in files

__SECRETS__ can each come from a file, as systemd's credentials and Docker's secrets do: give the file's path in the
variable of the same name with \`_FILE\` behind it.

\`\`\`
SECRET_KEY_FILE=/run/secrets/secret-key
\`\`\`

The file holds the value in UTF-8, and is read like the variable. Set either the variable or its \`_FILE\`, not both;
the file must not be empty. It is read at the start; restart the service to use a new value.

## Other variables

- \`PATH\`: the folders in which a PostgreSQL of the system is searched for if the embedded one is missing.
`;

/** The text of docs/config.md, made from the table of variables. */
export function configReference(): string {
  const rows = listVariables().map(({ name, fallback, fallbackNote, help, secret }) => {
    const fallbackText = fallbackNote ?? (fallback === null || fallback === "" ? "none" : `\`${fallback}\``);
    return `| \`${name}\`${secret === true ? " \\*" : ""} | ${cell(fallbackText)} | ${cell(help)} |`;
  });
  const secrets = listVariables()
    .filter(({ secret }) => secret === true)
    .map(({ name }) => `\`${name}\``);
  return [
    introduction,
    "## Variables\n",
    "| Name | Default | Meaning |\n| --- | --- | --- |",
    `${rows.join("\n")}\n`,
    "\\* can come from a file: see [Secrets in files](#secrets-in-files).\n",
    sections.replace("__SECRETS__", `${secrets.slice(0, -1).join(", ")} and ${secrets.at(-1) ?? ""}`),
  ].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
