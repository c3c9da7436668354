import { auditFollow } from "./audit-follow.ts";
import { auditList } from "./audit-list.ts";
import { clientCreate } from "./client-create.ts";
import { clientDelete } from "./client-delete.ts";
import { clientList } from "./client-list.ts";
import { clientRotateSecret } from "./client-rotate-secret.ts";
import type { Command } from "./command.ts";
import { doctorCommand } from "./doctor.ts";
import { keyDrop } from "./key-drop.ts";
import { keyList } from "./key-list.ts";
import { keyReseal } from "./key-reseal.ts";
import { keyRotate } from "./key-rotate.ts";
import { migrateCommand } from "./migrate.ts";
import { recoverCommand } from "./recover.ts";
import { serveCommand } from "./serve.ts";
import { sessionList } from "./session-list.ts";
import { sessionRevoke } from "./session-revoke.ts";
import { userCreate } from "./user-create.ts";
import { userExport } from "./user-export.ts";
import { userImport } from "./user-import.ts";
import { userList } from "./user-list.ts";
import { userSetPassword } from "./user-set-password.ts";
import { userSetStatus } from "./user-set-status.ts";
import { workerCommand } from "./worker.ts";

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  serveCommand,
  workerCommand,
  migrateCommand,
  doctorCommand,
  userCreate,
  userList,
  userSetPassword,
  userSetStatus,
  userImport,
  userExport,
  clientCreate,
  clientList,
  clientRotateSecret,
  clientDelete,
  keyList,
  keyRotate,
  keyDrop,
  keyReseal,
  sessionList,
  sessionRevoke,
  auditList,
  auditFollow,
  recoverCommand,
];

/** The command whose name the arguments begin with, and what follows its name. */
export function findCommand(args: readonly string[]): { command: Command; rest: string[] } | null {
  for (const command of commands) {
    const words = command.name.split(" ");
    if (words.every((word, index) => args[index] === word)) {
      return { command, rest: args.slice(words.length) };
    }
  }
  return null;
}

/** The commands of a group, such as `user`; none if there is no such group. */
export function findGroup(word: string): readonly Command[] {
  return commands.filter(({ name }) => name.startsWith(`${word} `));
}
