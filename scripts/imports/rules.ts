/** What the files of one layer may import. Globs are matched against paths from the repository's root. */
export interface LayerRule {
  /** The layer's files. The first rule with a matching glob applies to a file. */
  readonly files: readonly string[];
  /** The other layers' files that it may import. They belong to layers further down the list. */
  readonly mayImport: readonly string[];
  /** Packages and built-in modules that it must not import; none is refused by default. */
  readonly refusedPackages?: readonly string[];
  /** Why, printed with each violation. */
  readonly why: string;
}

/** Files that only some may import, whatever their layers are. */
export interface PrivateRule {
  /** A pattern of paths; what it captures as `owner` is the folder that they belong to. */
  readonly files: RegExp;
  /** Who may import them beside their owner. */
  readonly mayBeImportedBy: readonly string[];
  /** Why, printed with each violation. */
  readonly why: string;
}

/** Everything that check-imports.ts checks. */
export interface ImportRules {
  /** From the top of the house to the bottom: no layer imports one that stands above it. */
  readonly layers: readonly LayerRule[];
  readonly privates: readonly PrivateRule[];
  /** The files that may read `process.env`. */
  readonly environmentReaders: readonly string[];
  /** Files that no rule binds. */
  readonly exempt: readonly string[];
}

const protocols = ["@connectrpc/**", "@grpc/**", "@bufbuild/**", "node:http", "node:http2", "node:https"];

/**
 * The layers of the house, from top to bottom; ARCHITECTURE.md shows this table.
 * A file in src that no layer names is a violation, so a new folder takes its place here first.
 */
export const importRules: ImportRules = {
  layers: [
    {
      files: ["src/main.ts"],
      mayImport: ["src/cli/**", "src/lib/**"],
      why: "main.ts starts the process and hands over to the command line.",
    },
    {
      files: ["src/cli/**"],
      mayImport: [
        "src/app/**",
        "src/ops/**",
        "src/domain/**",
        "src/postgres/**",
        "src/redis/**",
        "src/hashing/**",
        "src/transcoding/**",
        "src/config/**",
        "src/errors/**",
        "src/lib/**",
        "src/gen/**",
      ],
      why: "A command calls the contract, starts the service or works on the domain; it knows no port and no handler.",
    },
    {
      files: [
        "src/app/service.ts",
        "src/app/serve-here.ts",
        "src/app/workers/worker.ts",
        "src/app/public-port.ts",
        "src/app/call-here.ts",
      ],
      mayImport: [
        "src/app/**",
        "src/http/**",
        "src/api/**",
        "src/web/**",
        "src/ops/**",
        "src/domain/**",
        "src/postgres/**",
        "src/redis/**",
        "src/hashing/**",
        "src/config/**",
        "src/errors/**",
        "src/lib/**",
        "src/gen/**",
      ],
      why: "These build everything that answers calls; they know nothing of the command line above them.",
    },
    {
      files: ["src/app/**"],
      mayImport: [
        "src/ops/**",
        "src/domain/**",
        "src/postgres/**",
        "src/redis/**",
        "src/hashing/**",
        "src/config/**",
        "src/errors/**",
        "src/lib/**",
      ],
      why: "src/app builds what the service and the commands share, so it knows neither.",
    },
    {
      files: ["src/http/**"],
      mayImport: [
        "src/api/**",
        "src/ops/**",
        "src/transcoding/**",
        "src/errors/**",
        "src/lib/**",
        "src/gen/**",
      ],
      why: "The port moves bytes and statuses; src/api knows what they mean, and the nouns stay behind it.",
    },
    {
      files: ["src/api/**"],
      mayImport: [
        "src/ops/**",
        "src/domain/**",
        "src/validation/**",
        "src/errors/**",
        "src/lib/**",
        "src/gen/**",
      ],
      why: "An RPC translates between the contract and the domain; it knows no port and no store.",
    },
    {
      files: ["src/ops/**"],
      mayImport: [
        "src/domain/**",
        "src/postgres/observer.ts",
        "src/redis/observer.ts",
        "src/errors/**",
        "src/lib/**",
      ],
      why: "src/ops watches what it is given; it uses no store, port or RPC. Of the clients it knows what they report.",
    },
    {
      files: ["src/domain/**"],
      mayImport: ["src/postgres/**", "src/redis/**", "src/hashing/**", "src/errors/**", "src/lib/**"],
      refusedPackages: protocols,
      why: "The domain holds the rules: it knows no port, protocol, RPC, command or configuration.",
    },
    {
      files: ["src/postgres/**"],
      mayImport: ["src/errors/**", "src/lib/**"],
      why: "The PostgreSQL client knows no noun that is kept there, and no other store.",
    },
    {
      files: ["src/redis/**"],
      mayImport: ["src/errors/**", "src/lib/**"],
      why: "The Redis client knows no noun that is kept there, and no other store.",
    },
    {
      files: ["src/hashing/**"],
      mayImport: ["src/errors/**", "src/lib/**"],
      why: "Hashing runs in a process of its own; it knows no noun and no store.",
    },
    {
      files: ["src/config/**"],
      mayImport: ["src/errors/**", "src/lib/**"],
      why: "Configuration is read before anything is built, so it knows nothing that is built from it.",
    },
    {
      files: ["src/openapi/**"],
      mayImport: ["src/web/**", "src/transcoding/**", "src/errors/**", "src/lib/**", "src/gen/**"],
      why: "The OpenAPI document is made from the contract and the reason registry alone.",
    },
    {
      files: ["src/web/**"],
      mayImport: ["src/errors/**", "src/lib/**"],
      why: "The pages show what was generated; the generator is no part of the running service.",
    },
    {
      files: ["src/transcoding/**"],
      mayImport: ["src/gen/google/**", "src/lib/http-text.ts"],
      why: "The transcoder knows descriptors but no nouns, so it could become a package of its own.",
    },
    {
      files: ["src/validation/**"],
      mayImport: [],
      why: "The rules of messages are compiled from descriptors alone, so this could become a package of its own.",
    },
    {
      files: ["src/errors/**"],
      mayImport: [],
      refusedPackages: ["**"],
      why: "The reason registry imports nothing, so that every layer can import it.",
    },
    {
      files: ["src/lib/**"],
      mayImport: [],
      why: "src/lib imports no other layer, so that everything can import it.",
    },
    {
      files: ["src/gen/**"],
      mayImport: [],
      why: "Generated code imports only generated code.",
    },
  ],
  privates: [
    {
      files: /^(?<owner>src\/domain\/[^/]+)\/(?:.*\/)?[^/]*-store\.ts$/,
      mayBeImportedBy: ["src/app/**", "src/cli/**"],
      why: "Only a noun itself uses its store; only the places that build everything pass it on.",
    },
  ],
  environmentReaders: ["src/config/**"],
  exempt: ["src/**/*.test.ts", "test/**", "scripts/**", "bench/**"],
};
