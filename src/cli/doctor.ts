import type { Command } from "./command.ts";

export const doctor: Command = {
  usage: "doctor",
  summary: "",
  options: {},
  operandCount: 0,
  run: async () => 0,
};
