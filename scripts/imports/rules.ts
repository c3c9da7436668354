/** What the files of one layer may import. Globs are matched against paths from the repository's root. */
export interface LayerRule {
  /** The layer's files. The first rule with a matching glob is the file's. */
  readonly files: readonly string[];
  /** Our own files that it may import, beside its own. */
  readonly mayImport: readonly string[];
  /** Packages and built-in modules that it must not import; none is refused by default. */
  readonly refusedPackages?: readonly string[];
  /** Why, told with each violation. */
  readonly why: string;
}

/** Files that only some may import, however their layers stand to each other. */
export interface PrivateRule {
  /** A pattern of paths; what it captures as `owner` is the folder that they belong to. */
  readonly files: RegExp;
  /** Who may import them beside their owner. */
  readonly mayBeImportedBy: readonly string[];
  /** Why, told with each violation. */
  readonly why: string;
}

/** Everything that check-imports.ts holds. */
export interface ImportRules {
  readonly layers: readonly LayerRule[];
  readonly privates: readonly PrivateRule[];
  /** The files that may read `process.env`. */
  readonly environmentReaders: readonly string[];
  /** Files that no rule binds. */
  readonly exempt: readonly string[];
}

const protocols = ["@connectrpc/**", "@grpc/**", "@bufbuild/**", "node:http", "node:http2", "node:https"];

/**
 * The arrows of the house, which point one way:
 * main -> cli -> server -> (transport -> rpc, rest, start, ops) -> domain -> (postgres, redis, hashing) -> lib.
 * A file in src that no layer names is a violation, so a new folder takes its place here first.
 */
export const importRules: ImportRules = {
  layers: [
    {
      files: ["src/main.ts"],
      mayImport: ["src/cli/**", "src/lib/**"],
      why: "main.ts is the process's edge: it hands over to the command line.",
    },
    {
      files: ["src/cli/**"],
      mayImport: [
        "src/server.ts",
        "src/app/**",
        "src/config/**",
        "src/domain/**",
        "src/ops/**",
        "src/postgres/**",
        "src/redis/**",
        "src/hashing/**",
        "src/lib/**",
      ],
      why: "A command starts the server or works on the domain; transports and RPCs are the server's.",
    },
    {
      files: ["src/server.ts", "src/server/**"],
      mayImport: [
        "src/http/**",
        "src/api/**",
        "src/transcoding/**",
        "src/web/**",
        "src/app/**",
        "src/config/**",
        "src/domain/**",
        "src/ops/**",
        "src/gen/**",
        "src/postgres/**",
        "src/redis/**",
        "src/hashing/**",
        "src/lib/**",
      ],
      why: "server.ts builds everything that serves; it knows nothing of the command line above it.",
    },
    {
      files: ["src/app/**"],
      mayImport: [
        "src/config/**",
        "src/domain/**",
        "src/ops/**",
        "src/postgres/**",
        "src/redis/**",
        "src/hashing/**",
        "src/lib/**",
      ],
      why: "src/app builds what the server and the commands share, so it knows neither.",
    },
    {
      files: ["src/config/**"],
      mayImport: ["src/errors/reasons.ts", "src/lib/**"],
      why: "Configuration is read before anything is built, so it knows nothing that is built from it.",
    },
    {
      files: ["src/http/**"],
      mayImport: [
        "src/transcoding/**",
        "src/api/**",
        "src/ops/**",
        "src/errors/reasons.ts",
        "src/gen/**",
        "src/lib/**",
      ],
      why: "A transport moves bytes and statuses; what they mean is told by src/api, and nouns stay behind it.",
    },
    {
      files: ["src/api/**"],
      mayImport: ["src/domain/**", "src/ops/**", "src/gen/**", "src/lib/**"],
      why: "An RPC translates between the contract and the domain; it knows no transport and no store.",
    },
    {
      files: ["src/transcoding/**"],
      mayImport: ["src/gen/google/**", "src/lib/http-text.ts"],
      why: "The transcoder knows descriptors and never nouns, so that it could be lifted out as a package.",
    },
    {
      files: ["src/openapi/**"],
      mayImport: [
        "src/transcoding/**",
        "src/web/example-address.ts",
        "src/errors/reasons.ts",
        "src/gen/**",
        "src/lib/**",
      ],
      why: "The reference is made from the contract and the reason registry alone.",
    },
    {
      files: ["src/web/**"],
      mayImport: ["src/errors/reasons.ts", "src/lib/**"],
      why: "The pages show what was generated; the generator is no part of the running service.",
    },
    {
      files: ["src/ops/**"],
      mayImport: ["src/domain/**", "src/lib/**"],
      why: "Operations are handed what they watch; they reach for no store, transport or RPC.",
    },
    {
      files: ["src/errors/reasons.ts"],
      mayImport: [],
      refusedPackages: ["**"],
      why: "The reason registry imports nothing, so that every layer can import it.",
    },
    {
      files: ["src/domain/**"],
      mayImport: ["src/domain/**", "src/postgres/**", "src/redis/**", "src/hashing/**", "src/lib/**"],
      refusedPackages: protocols,
      why: "The domain speaks domain: it knows no transport, protocol, RPC, command or configuration.",
    },
    {
      files: ["src/postgres/**"],
      mayImport: ["src/errors/reasons.ts", "src/lib/**"],
      why: "A client of Postgres knows no noun that is kept there, and no other store.",
    },
    {
      files: ["src/redis/**"],
      mayImport: ["src/errors/reasons.ts", "src/lib/**"],
      why: "A client of Redis knows no noun that is kept there, and no other store.",
    },
    {
      files: ["src/hashing/**"],
      mayImport: ["src/errors/reasons.ts", "src/lib/**"],
      why: "What computes hashes knows no noun and no store: it runs in a process of its own.",
    },
    {
      files: ["src/lib/**"],
      mayImport: [],
      why: "src/lib imports nothing of ours, so that everything can import it.",
    },
    {
      files: ["src/gen/**"],
      mayImport: [],
      why: "Generated code imports generated code alone.",
    },
  ],
  privates: [
    {
      files: /^(?<owner>src\/domain\/[^/]+)\/(?:.*\/)?[^/]*-store\.ts$/,
      mayBeImportedBy: ["src/server.ts", "src/server/**", "src/app/**", "src/cli/**"],
      why: "A noun's store is that noun's alone; only the places that build everything hand it out.",
    },
  ],
  environmentReaders: ["src/config/**"],
  exempt: ["src/**/*.test.ts", "test/**", "scripts/**", "bench/**"],
};
