import { listVariables } from "../src/config/variables.ts";

const introduction = `# Configuration

<!-- Generated from src/config/variables.ts by \`npm run generate\`. Do not edit. -->

Countersign is configured by environment variables alone. With none of them set it runs on this machine: with
an embedded PostgreSQL, secrets of its own and a first user, all kept under \`DATA_DIR\`.

- An empty value counts as unset. White space around a value is taken away; a password keeps it, but for line breaks at
  its end.
- A name that is close to one of these, and is none of them, is told of by the start and by \`countersign doctor\`.
- A malformed value stops the start, which tells all problems at once. It repeats no value, since values can be
  secrets.
- \`countersign doctor\` checks the configuration and what it leads to, and changes nothing.
- Durations have a unit: \`500ms\`, \`30s\`, \`15m\`, \`12h\`, \`30d\`. Switches are \`on\` or \`off\`.
`;

const sections = `## Production

A start is a production start when \`NODE_ENV=production\`, when \`DATABASE_URL\` is set, or when \`ISSUER\` begins
with \`https:\`. \`SECRET_KEY\` and \`ISSUER\` are required then: instances that each made their own would not accept
one another's tokens.

Behind a proxy, set \`TRUSTED_PROXIES\` to its addresses; else all callers seem to come from the proxy's own. Keep
\`OPS_PORT\` to yourselves: it tells which stores are down.

## SECRET_KEY

A list of secrets, separated by commas, each of at least 32 characters. \`openssl rand -hex 32\` makes one. White
space around an entry is ignored. Refresh tokens are derived from the secrets, and the signing keys in the
database are sealed with them: the database alone yields neither. The first entry issues, all are accepted.

To change it without signing anybody out, deploy twice:

1. Add the new secret **last**, on every instance: \`SECRET_KEY=old,new\`. All accept it, none issues with it.
2. Move it **first**, on every instance: \`SECRET_KEY=new,old\`.

The service then seals the signing keys anew under the first entry. Dropping an entry ends what still hangs on it:
the sessions whose refresh token was issued under it, until they are used next, so for \`SESSION_IDLE_TTL\` at most;
and a signing key that is still sealed with it, without which the service does not start. \`countersign doctor\`
tells which entries the signing keys hang on.

Without \`SECRET_KEY\` and with the embedded database, one is made at the first start and kept, 0600, in
\`DATA_DIR/secret-key\`. A backup of the database is of no use without it.

## Secrets in files

__SECRETS__ can each come from a file, as systemd's credentials and Docker's secrets do: give the file's path in the
variable of the same name with \`_FILE\` behind it.

\`\`\`
SECRET_KEY_FILE=/run/secrets/secret-key
\`\`\`

The value is the file's content, UTF-8, read as the variable's would be. The variable and its \`_FILE\` must not
both be set, and the file must not be empty. It is read at the start; restart to take a new one.

## Read from the environment as well

- \`PATH\`: where a PostgreSQL of the system is looked for when the embedded one is missing.
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
