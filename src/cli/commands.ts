import { applyCommand } from "./apply.ts";
import { auditExport } from "./audit-export.ts";
import { auditFollow } from "./audit-follow.ts";
import { auditList } from "./audit-list.ts";
import { clientCreate } from "./clients/create.ts";
import { clientDelete, clientDeletion } from "./clients/delete.ts";
import { clientGet } from "./clients/get.ts";
import { clientList } from "./clients/list.ts";
import { clientRotateSecret } from "./clients/rotate-secret.ts";
import type { Command } from "./command.ts";
import { clientUpdate } from "./clients/update.ts";
import { completionCommand } from "./completion.ts";
import { doctorCommand } from "./doctor.ts";
import { exportConfigCommand } from "./export-config.ts";
import { keyDrop } from "./keys/drop.ts";
import { keyList } from "./keys/list.ts";
import { keyReseal } from "./keys/reseal.ts";
import { keyRotate } from "./keys/rotate.ts";
import { migrateCommand } from "./migrate.ts";
import { recoverCommand } from "./recover.ts";
import { serveCommand } from "./serve.ts";
import { roleCreate } from "./roles/create.ts";
import { roleDelete } from "./roles/delete.ts";
import { roleGet } from "./roles/get.ts";
import { roleList } from "./roles/list.ts";
import { roleUpdate } from "./roles/update.ts";
import { contextList, contextRemove, contextUse } from "./signing-in/contexts.ts";
import { loginCommand } from "./signing-in/login.ts";
import { logoutCommand } from "./signing-in/logout.ts";
import { whoamiCommand } from "./signing-in/whoami.ts";
import {
  userDeactivate,
  userForgetDevices,
  userReactivate,
  userRequirePasswordChange,
  userSuspend,
} from "./users/change-state.ts";
import { userCreate } from "./users/create.ts";
import { userDelete } from "./users/delete.ts";
import { sessionRevoke } from "./users/end-sessions.ts";
import { userExport } from "./users/export.ts";
import { userGet } from "./users/get.ts";
import { userImport } from "./users/import.ts";
import { userList } from "./users/list.ts";
import { sessionList } from "./users/sessions.ts";
import { userSetPassword } from "./users/set-password.ts";
import { userSetRoles } from "./users/set-roles.ts";
import { userUpdate } from "./users/update.ts";
import { workerCommand } from "./worker.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  serveCommand,
  workerCommand,
  migrateCommand,
  doctorCommand,
  loginCommand,
  logoutCommand,
  whoamiCommand,
  contextList,
  contextUse,
  contextRemove,
  userList,
  userGet,
  userCreate,
  userUpdate,
  userSetRoles,
  userSetPassword,
  userRequirePasswordChange,
  userSuspend,
  userReactivate,
  userDeactivate,
  userForgetDevices,
  userDelete,
  userImport,
  userExport,
  sessionList,
  sessionRevoke,
  roleList,
  roleGet,
  roleCreate,
  roleUpdate,
  roleDelete,
  clientList,
  clientGet,
  clientCreate,
  clientUpdate,
  clientRotateSecret,
  clientDelete,
  clientDeletion,
  keyList,
  keyRotate,
  keyDrop,
  keyReseal,
  auditList,
  auditFollow,
  auditExport,
  applyCommand,
  exportConfigCommand,
  recoverCommand,
  completionCommand,
];

/** The command whose name the arguments begin with, and what follows its name. */
export function findCommand(args: readonly string[]): { command: Command; rest: string[] } | null {
  for (const command of commands) {
    for (const name of namesOf(command)) {
      const words = name.split(" ");
      if (words.every((word, index) => args[index] === word)) {
        return { command, rest: args.slice(words.length) };
      }
    }
  }
  return null;
}

/** The name of a command, and its other one. */
export function namesOf({ name, alias }: Command): readonly string[] {
  return alias === undefined ? [name] : [name, alias];
}

/** The commands of a group, such as `user`; none if there is no such group. */
export function findGroup(word: string): readonly Command[] {
  return commands.filter(({ name, isHidden }) => isHidden !== true && name.startsWith(`${word} `));
}
