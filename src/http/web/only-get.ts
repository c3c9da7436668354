import { AppError } from "../../errors/app-error.ts";
import type { Exchange } from "../exchange/exchange.ts";

const allow = ["GET", "HEAD", "OPTIONS"];

/**
 * For a path that is read only: answers OPTIONS.
 *
 * @returns whether the request is answered with that
 * @throws AppError method_not_allowed
 */
export function answerOtherMethods(exchange: Exchange): boolean {
  if (exchange.method === "GET" || exchange.method === "HEAD") return false;
  if (exchange.method !== "OPTIONS") {
    throw new AppError("method_not_allowed", "The path does not take this method.", { allow });
  }
  exchange.reply({ status: 204, headers: { allow: allow.join(", ") }, body: null });
  return true;
}
