import { type DescFile, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ServerReflectionRequest as RequestV1 } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import type { ServerReflectionRequest as RequestV1Alpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { type DescriptorIndex, withImports } from "./descriptor-index.ts";

/** One question, in either version: they differ only in their package. */
export type Question = RequestV1["messageRequest"] | RequestV1Alpha["messageRequest"];

/** One answer, which fits either version. */
export type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

// google.rpc.Code
const invalidArgument = 3;
const notFound = 5;

/**
 * Answers the questions of one stream. A file comes with all that it imports; like the server of
 * gRPC for Go, a stream is not sent the same import twice.
 */
export function createAnswerQuestion(index: DescriptorIndex): (question: Question) => Answer {
  const sent = new Set<DescFile>();
  return (question) => {
    switch (question.case) {
      case "listServices":
        return listServices(index);
      case "fileByFilename":
        return fileAnswer(index.files.get(question.value), sent);
      case "fileContainingSymbol":
        return fileAnswer(index.symbols.get(withoutLeadingDot(question.value)), sent);
      case "fileContainingExtension":
        return fileAnswer(
          extensionsOf(index, question.value.containingType)?.get(question.value.extensionNumber),
          sent,
        );
      case "allExtensionNumbersOfType":
        return extensionNumbers(index, question.value);
      default:
        return failure(invalidArgument, "The request asks nothing.");
    }
  };
}

function listServices({ serviceNames }: DescriptorIndex): Answer {
  return { case: "listServicesResponse", value: { service: serviceNames.map((name) => ({ name })) } };
}

function fileAnswer(file: DescFile | undefined, sent: Set<DescFile>): Answer {
  if (file === undefined) {
    return failure(notFound, "No such file, symbol or extension on this server.");
  }
  const files = withImports(file).filter((each) => each === file || !sent.has(each));
  for (const each of files) {
    sent.add(each);
  }
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto: files.map(serialise) } };
}

function extensionNumbers(index: DescriptorIndex, typeName: string): Answer {
  const numbers = extensionsOf(index, typeName);
  if (numbers === undefined) {
    return failure(notFound, "No such message on this server.");
  }
  const extensionNumber = [...numbers.keys()].toSorted((a, b) => a - b);
  return { case: "allExtensionNumbersResponse", value: { baseTypeName: typeName, extensionNumber } };
}

function extensionsOf(index: DescriptorIndex, typeName: string): ReadonlyMap<number, DescFile> | undefined {
  return index.extensions.get(withoutLeadingDot(typeName));
}

/** Descriptors write full names with a dot before them, and some clients ask with what they read there. */
function withoutLeadingDot(name: string): string {
  return name.startsWith(".") ? name.slice(1) : name;
}

const serialised = new WeakMap<DescFile, Uint8Array>();

function serialise(file: DescFile): Uint8Array {
  let bytes = serialised.get(file);
  if (bytes === undefined) {
    bytes = toBinary(FileDescriptorProtoSchema, file.proto);
    serialised.set(file, bytes);
  }
  return bytes;
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
