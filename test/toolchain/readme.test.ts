import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { root, startService, testSecretKey } from "../_harness/service.ts";

test("the README's lines that hand JSON on print nothing else to standard output", async () => {
  const text = await readFile(join(root, "README.md"), "utf8");
  const lines = [...text.matchAll(/^(npm run .*--json) \|/gm)].map(([, line = ""]) => line);
  expect(lines.length).toBeGreaterThan(0);
  const service = await startService();
  try {
    for (const line of lines) {
      const { stdout } = await promisify(execFile)("sh", ["-c", line], {
        cwd: root,
        env: {
          ...process.env,
          DATABASE_URL: service.databaseUrl,
          SECRET_KEY: testSecretKey,
          ISSUER: "http://localhost",
        },
      });
      const objects = stdout
        .trimEnd()
        .split("\n")
        .map((each) => JSON.parse(each) as Record<string, unknown>);
      expect(objects).toMatchObject([{ username: "admin" }]);
    }
  } finally {
    await service.stop();
  }
});
