import { readFile, stat } from "node:fs/promises";
import { createClient, type Transport } from "@connectrpc/connect";
import { AppError } from "../../errors/app-error.ts";
import { AuthService, type TokenResponse } from "../../gen/countersign/v1/auth_pb.ts";
import { codeOf } from "../../lib/files.ts";
import type { Context, Contexts } from "./contexts.ts";
import { readFailure } from "./failures.ts";

/** Where a command has its access token from. */
export interface AccessTokens {
  /** The one to be sent now. */
  current(): Promise<string>;
  /** Another one in place of one that was refused; null where there is none. */
  renew(refused: string): Promise<string | null>;
}

/** A token that expires within this time is renewed first: what is sent with it takes time too. */
const marginMs = 20_000;
const tokenBytesMax = 16_384;

/** The token of a file, which is read for each call: whoever keeps it fresh may do so meanwhile. */
export function tokensOfFile(path: string): AccessTokens {
  return {
    current: () => readTokenFile(path),
    async renew(refused) {
      const token = await readTokenFile(path);
      return token === refused ? null : token;
    },
  };
}

async function readTokenFile(path: string): Promise<string> {
  const text = await readSmall(path).catch((error: unknown) => {
    throw new Error(`${path} cannot be read: ${codeOf(error) ?? "it is too large"}.`, {
      cause: error,
    });
  });
  const token = text.trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new Error(`${path} holds no access token: it must hold one, and nothing else.`);
}

async function readSmall(path: string): Promise<string> {
  if ((await stat(path)).size > tokenBytesMax) throw new Error("too large");
  return readFile(path, "utf8");
}

/**
 * The tokens of a context. They are refreshed under its lock, so that of several commands at once one refreshes, and the
 * others take what it got.
 *
 * @param transport to the service, without a token
 */
export function tokensOfContext(contexts: Contexts, name: string, transport: Transport): AccessTokens {
  const auth = createClient(AuthService, transport);

  const read = async (): Promise<Context> => {
    const context = await contexts.find(name);
    if (context === null) throw signInAgain(name);
    return context;
  };

  /** @param isGood whether another command has refreshed meanwhile */
  const refresh = (isGood: (context: Context) => boolean): Promise<string> =>
    contexts.alone(name, async () => {
      const context = await read();
      if (isGood(context)) return context.accessToken;
      if (context.refreshToken === null) throw signInAgain(name);
      const answer = await auth.refresh({ refreshToken: context.refreshToken }).catch((error: unknown) => {
        const failure = readFailure(error);
        throw failure instanceof AppError && failure.reason === "invalid_refresh_token"
          ? signInAgain(name)
          : failure;
      });
      const renewed = { ...context, ...readTokens(answer) };
      await contexts.save(name, renewed);
      return renewed.accessToken;
    });

  return {
    async current() {
      const context = await read();
      return isFresh(context) ? context.accessToken : refresh(isFresh);
    },
    async renew(refused) {
      const { accessToken, refreshToken } = await read();
      if (accessToken !== refused) return accessToken;
      return refreshToken === null ? null : refresh((context) => context.accessToken !== refused);
    },
  };
}

/** What a context keeps of an answer with tokens. */
export function readTokens(
  answer: TokenResponse,
): Pick<Context, "accessToken" | "refreshToken" | "expiresAt"> {
  return {
    accessToken: answer.accessToken,
    refreshToken: answer.refreshToken ?? null,
    expiresAt: Date.now() + answer.expiresIn * 1000,
  };
}

function isFresh({ expiresAt }: Context): boolean {
  return Date.now() + marginMs < expiresAt;
}

function signInAgain(name: string): Error {
  return new Error(
    `The sign-in of the context ${name} has ended: run "countersign login --context ${name}".`,
  );
}
