import type { DescFile, DescService } from "@bufbuild/protobuf";
import type {
  ServerReflectionRequest as RequestV1,
  ServerReflection as ServiceV1,
} from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import type {
  ServerReflectionRequest as RequestV1Alpha,
  ServerReflection as ServiceV1Alpha,
} from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import type { Call } from "../../call.ts";
import type { Handlers } from "../../handler.ts";
import { type Answer, createAnswerQuestion } from "./answer-question.ts";
import { createDescriptorIndex } from "./descriptor-index.ts";
import { questionsInTime } from "./questions-in-time.ts";

/** What reflection is built from. */
export interface ReflectionOptions {
  /** All that is served and shall be shown, reflection itself included. */
  readonly services: readonly DescService[];
  /** Files that no service imports but answers are made of: the details of errors. */
  readonly files: readonly DescFile[];
  /** How long a caller may ask nothing before the stream ends, in milliseconds. */
  readonly idleMs: number;
}

/** The same service in the two versions that clients speak. */
export interface Reflection {
  readonly v1: Handlers<typeof ServiceV1>;
  readonly v1alpha: Handlers<typeof ServiceV1Alpha>;
}

/**
 * Implements server reflection: gives clients such as grpcurl, buf curl or Postman the schema of the
 * services, from the descriptors that the services themselves run on. An unknown name is answered in
 * the stream (`error_response`), and does not end it. Silence ends it, like the end of the questions.
 */
export function createReflection({ services, files, idleMs }: ReflectionOptions): Reflection {
  const index = createDescriptorIndex(services, files);

  async function* serverReflectionInfo<Request extends RequestV1 | RequestV1Alpha>(
    requests: AsyncIterable<Request>,
    { signal }: Call,
  ): AsyncGenerator<{ validHost: string; originalRequest: Request; messageResponse: Answer }> {
    const answerQuestion = createAnswerQuestion(index);
    for await (const request of questionsInTime(requests, { idleMs, signal })) {
      const messageResponse = answerQuestion(request.messageRequest);
      yield { validHost: request.host, originalRequest: request, messageResponse };
    }
  }

  return { v1: { serverReflectionInfo }, v1alpha: { serverReflectionInfo } };
}
