import { AppError } from "../../errors/app-error.ts";
import type { ManagedUser } from "../../gen/countersign/v1/users_pb.ts";
import type { Api } from "../calling/with-api.ts";
import { type CommandInput, hasOption, UsageError } from "../command.ts";

/** The option of every command that is told which user it is about. */
export const idOption = { id: { help: "NAME is the user's id" } } as const;

/** What the help says of NAME. */
export const nameDetail = "NAME is the user's name, address or id.";

/**
 * The user whom an operand names: by name or address, or by id.
 *
 * @throws AppError not_found; UsageError where it is the name of one user and the id of another
 */
export async function findUser(api: Api, input: CommandInput, name: string): Promise<ManagedUser> {
  const byId = orNull(api.users.getUser({ userId: name }));
  if (hasOption(input, "id")) return requireUser(await byId);
  const [found, other] = await Promise.all([orNull(api.users.findUser(selectorOf(name))), byId]);
  if (found !== null && other !== null && found.id !== other.id) {
    throw new UsageError(
      "This is the name of one user and the id of another: add --id, or give the other's address.",
    );
  }
  return requireUser(found ?? other);
}

/** A name holds no at sign, and an address does. */
function selectorOf(name: string): { readonly username: string } | { readonly email: string } {
  return name.includes("@") ? { email: name } : { username: name };
}

/** How people call a user. */
export function describeUser({ username, email, id }: ManagedUser): string {
  return `${username ?? email ?? id} (${id})`;
}

function requireUser(user: ManagedUser | null): ManagedUser {
  if (user === null) throw new AppError("not_found", "There is no such user.");
  return user;
}

/** What is there; null for what is not, and for what no user can be called. */
async function orNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof AppError && ["not_found", "validation_failed"].includes(error.reason)) return null;
    throw error;
  }
}
