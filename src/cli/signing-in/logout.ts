import { AppError } from "../../errors/app-error.ts";
import { readCommandLineConfig } from "../../config/command-line.ts";
import { type Context, openContexts } from "../calling/contexts.ts";
import { type Command, hasOption, jsonOption, stringOption } from "../command.ts";
import { printError, printJson, printLine } from "../output.ts";

/** `countersign logout`. */
export const logoutCommand: Command = {
  name: "logout",
  operands: [],
  summary: "end the session of a context, and forget its tokens",
  options: {
    context: { value: "NAME", help: "the context; by default the current one" },
    ...jsonOption,
  },
  async run(input) {
    const { folder, context } = readCommandLineConfig();
    const contexts = openContexts(folder);
    const name = stringOption(input, "context") ?? context ?? (await contexts.current());
    if (name === null) throw new Error("You have not signed in.");
    await contexts.alone(name, async () => {
      const found = await contexts.find(name);
      if (found === null) throw new Error(`There is no context ${name}.`);
      printError(`Server: ${found.server}`);
      if (found.refreshToken !== null) await endSession(found, found.refreshToken);
    });
    await contexts.remove(name);
    if (hasOption(input, "json")) printJson({ context: name, signed_out: true });
    else printLine(`signed out (context ${name})`);
    return 0;
  },
};

async function endSession(context: Context, refreshToken: string): Promise<void> {
  const [{ createClient }, { connectTo }, { AuthService }] = await Promise.all([
    import("@connectrpc/connect"),
    import("../calling/connect-to.ts"),
    import("../../gen/countersign/v1/auth_pb.ts"),
  ]);
  try {
    await createClient(AuthService, await connectTo(context, null)).logout({ refreshToken });
  } catch (error) {
    // A session that has ended already is what was asked for.
    if (error instanceof AppError && error.reason === "invalid_refresh_token") return;
    throw error;
  }
}
