import { type Command, hasOption } from "./command.ts";

/** `countersign doctor`: looks at everything that a start needs, and changes nothing. */
export const doctorCommand: Command = {
  name: "doctor",
  operands: [],
  summary: "check the configuration, the stores and this machine; changes nothing",
  details: [
    "Tells what it found, and what to do about it, in five seconds at most. Run it as the",
    "user and with the environment of the service. Secrets are not shown. Exit code 1 tells",
    "of a failure; warnings are none.",
  ],
  options: { json: { help: "print JSON: {ok, findings: [{status, name, found, mend}]}" } },
  async run(input) {
    const { diagnose } = await import("./doctor/diagnose.ts");
    return diagnose(hasOption(input, "json"));
  },
};
