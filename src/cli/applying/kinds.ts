import type { Kind } from "./kind.ts";
import { clientKind } from "./kinds/clients.ts";
import { roleKind } from "./kinds/roles.ts";
import { userKind } from "./kinds/users.ts";

/** What can be in a file, in the order in which changes are made: what others refer to comes first. */
export const kinds: readonly Kind[] = [roleKind, clientKind, userKind];
