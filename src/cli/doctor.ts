import { type Command, hasOption } from "./command.ts";

/** `countersign doctor`: checks everything that a start needs, and changes nothing. */
export const doctorCommand: Command = {
  name: "doctor",
  operands: [],
  summary: "check the configuration, the stores and this machine; changes nothing",
  details: [
    "Prints what it found, and what to do about it, within five seconds. Run it as the user",
    "and with the environment of the service. Secrets are not shown. The exit code is 1 if a",
    "check failed; warnings do not count.",
  ],
  options: { json: { help: "print JSON: {ok, findings: [{status, name, found, mend}]}" } },
  async run(input) {
    const { diagnose } = await import("./doctor/diagnose.ts");
    return diagnose(hasOption(input, "json"));
  },
};
