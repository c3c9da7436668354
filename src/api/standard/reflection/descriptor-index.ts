import type { DescEnum, DescExtension, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";

/** Finds the declarations of everything that the served services use. */
export interface DescriptorIndex {
  /** The services' full names, sorted. */
  readonly serviceNames: readonly string[];
  /** By the file's name with its ending: `google/protobuf/empty.proto`. */
  readonly files: ReadonlyMap<string, DescFile>;
  /** By full name: services, methods, messages, fields, oneofs, enums, enum values and extensions. */
  readonly symbols: ReadonlyMap<string, DescFile>;
  /** By the full name of a message (each has an entry) and then by field number. */
  readonly extensions: ReadonlyMap<string, ReadonlyMap<number, DescFile>>;
}

/** Indexes the files of these services, and others, with all that they import. */
export function createDescriptorIndex(
  services: readonly DescService[],
  others: readonly DescFile[] = [],
): DescriptorIndex {
  const files = new Map<string, DescFile>();
  for (const root of [...services.map((service) => service.file), ...others]) {
    for (const file of withImports(root)) {
      files.set(file.proto.name, file);
    }
  }
  return {
    serviceNames: [...new Set(services.map((service) => service.typeName))].toSorted(),
    files,
    symbols: new Map([...files.values()].flatMap((file) => symbolsOf(file).map((name) => [name, file]))),
    extensions: indexExtensions([...files.values()]),
  };
}

/** A file and all that it imports, directly or not: itself first, each once. */
export function withImports(file: DescFile): readonly DescFile[] {
  const found = new Set([file]);
  // A set iterates over what is added on the way, too.
  for (const next of found) {
    for (const dependency of next.dependencies) {
      found.add(dependency);
    }
  }
  return [...found];
}

function indexExtensions(files: readonly DescFile[]): Map<string, Map<number, DescFile>> {
  const byMessage = new Map<string, Map<number, DescFile>>();
  for (const message of files.flatMap(messagesOf)) {
    byMessage.set(message.typeName, new Map());
  }
  for (const extension of files.flatMap(extensionsOf)) {
    byMessage.get(extension.extendee.typeName)?.set(extension.number, extension.file);
  }
  return byMessage;
}

function messagesOf({ messages }: Pick<DescFile, "messages">): readonly DescMessage[] {
  return messages.flatMap((message) => [message, ...messagesOf({ messages: message.nestedMessages })]);
}

function extensionsOf(file: DescFile): readonly DescExtension[] {
  return [...file.extensions, ...messagesOf(file).flatMap((message) => message.nestedExtensions)];
}

function symbolsOf(file: DescFile): readonly string[] {
  const messages = messagesOf(file);
  return [
    ...messages.flatMap(namesInMessage),
    ...[...file.enums, ...messages.flatMap((message) => message.nestedEnums)].flatMap(namesInEnum),
    ...extensionsOf(file).map((extension) => extension.typeName),
    ...file.services.flatMap(namesInService),
  ];
}

function namesInMessage(message: DescMessage): readonly string[] {
  const parts = [...message.fields, ...message.oneofs];
  return [message.typeName, ...parts.map((part) => `${message.typeName}.${part.name}`)];
}

function namesInEnum(desc: DescEnum): readonly string[] {
  // An enum's values are named beside it, not within it (descriptor.proto, as in C++).
  const scope = desc.typeName.slice(0, desc.typeName.lastIndexOf(".") + 1);
  return [desc.typeName, ...desc.values.map((value) => `${scope}${value.name}`)];
}

function namesInService(service: DescService): readonly string[] {
  return [service.typeName, ...service.methods.map((method) => `${service.typeName}.${method.name}`)];
}
