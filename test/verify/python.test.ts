import { expect, test } from "@jest/globals";
import { join } from "node:path";
import { findPython } from "../_harness/python.ts";
import { root } from "../_harness/service.ts";

const program = `
import os, sys, unittest
sys.dont_write_bytecode = True
os.chdir(sys.argv[1])
sys.path.insert(0, ".")
unittest.TextTestRunner(sys.stdout).run(unittest.defaultTestLoader.discover("tests", top_level_dir="."))
`;

test("the Python package passes its tests, the conformance vectors among them", async () => {
  const python = await findPython({ grpc: "python3-grpcio", cryptography: "python3-cryptography" });
  const report = await python.run(program, "", [join(root, "clients/python")]);
  expect(report).toMatch(/\nRan 15 tests in \S+\n\nOK\n$/);
});
