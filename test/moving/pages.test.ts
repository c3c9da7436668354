import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sendForm } from "../_harness/rest.ts";
import { root, startService, type TestService } from "../_harness/service.ts";

let service: TestService;
let folder: string;
beforeAll(async () => {
  service = await startService();
  folder = await mkdtemp(join(tmpdir(), "countersign-pages-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await service.stop();
});

/** The samples and the commands of a page of docs/moving. */
async function readPage(name: string): Promise<{ samples: string[]; command: string[] }> {
  const page = await readFile(join(root, "docs", "moving", name), "utf8");
  const blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind = "", text = ""]) => ({
    kind,
    text,
  }));
  const samples = blocks.filter(({ kind }) => kind !== "sh").map(({ text }) => text);
  const command = /^countersign (user import .*)$/m.exec(page)?.[1] ?? "";
  return { samples, command: command.replace(" --dry-run", "").split(" ") };
}

/** Writes the samples, and puts their paths into the command in place of the names of files. */
async function fillIn(name: string): Promise<string[]> {
  const { samples, command } = await readPage(name);
  const filled: string[] = [];
  for (const word of command) {
    const sample = /\.(json|ndjson|csv|txt)$/.test(word) ? samples.shift() : undefined;
    const path = join(folder, `${name}-${word}`);
    if (sample !== undefined) await writeFile(path, sample);
    filled.push(sample === undefined ? word : path);
  }
  return filled;
}

describe("the file that a page shows is imported by the command that it shows, and its user signs in:", () => {
  test.each([
    ["README.md", "anna", "6f1c2f6e-6f5b-4c4a-9d3e-2b8f0c1d2e3f"],
    ["keycloak.md", "k.anna@example.org", "1d2e3f00-6f5b-4c4a-9d3e-2b8f0c1d2e3f"],
    ["supabase.md", "s.anna@example.org", "2d2e3f00-6f5b-4c4a-9d3e-2b8f0c1d2e3f"],
    ["auth0.md", "a.anna@example.org", "auth0|60425dc43519d90068f82973"],
    ["firebase.md", "f.anna@example.org", "kXw3Zp0QmVYb1n2s8RtL5uDe7Jf2"],
  ])("%s", async (name, username, id) => {
    const { code, stdout, stderr } = await service.command(await fillIn(name));
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: "1 created, 0 there already, 0 refused\n",
      stderr: "",
    });
    const { status, json } = await sendForm(`${service.url}/auth/login`, {
      username,
      password: "correct horse",
    });
    expect(status).toBe(200);
    const { access_token: token } = json as { access_token: string };
    expect(JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
      sub: id,
    });
  });
});
