import type { TestService } from "./service.ts";

/** A user of a test, who can sign in with this. */
export interface TestUser {
  readonly username: string;
  readonly password: string;
}

/** How a test's user differs from an active one without roles. */
export interface TestUserOptions {
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly status?: "active" | "pending" | "suspended" | "deactivated";
}

/** Creates a user by the command line. */
export async function createUser(
  service: Pick<TestService, "command">,
  username: string,
  { email, roles = [], status = "active" }: TestUserOptions = {},
): Promise<TestUser> {
  const password = `the password of ${username}`;
  const args = ["user", "create", username, "--status", status];
  if (email !== undefined) args.push("--email", email);
  for (const role of roles) args.push("--role", role);
  const { code, stderr } = await service.command(args, password);
  if (code !== 0) throw new Error(`The user was not created: ${stderr}`);
  return { username, password };
}

/** Signs in over REST. */
export async function logIn(
  service: Pick<TestService, "url">,
  user: TestUser,
  parameters: Readonly<Record<string, string>> = {},
): Promise<{ readonly access_token: string; readonly refresh_token: string; readonly expires_in: number }> {
  const { username, password } = user;
  const answer = await fetch(`${service.url}/auth/login`, {
    method: "POST",
    body: new URLSearchParams({ username, password, ...parameters }),
  });
  if (answer.status !== 200) throw new Error(`The login was answered with ${answer.status}.`);
  return (await answer.json()) as Awaited<ReturnType<typeof logIn>>;
}
