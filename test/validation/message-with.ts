import {
  create,
  createFileRegistry,
  type DescMessage,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";
import {
  field as fieldRules,
  FieldRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** The rules of a field. */
export type Rules = MessageInitShape<typeof FieldRulesSchema>;
/** A field, but for what all of them have. */
export type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;
export const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;
export const type = FieldDescriptorProto_Type;

/** A message with one field `value`, of a type and with rules. */
export function messageWith(field: Field, rules: Rules): DescMessage {
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldRules, create(FieldRulesSchema, rules));
  const entry = create(DescriptorProtoSchema, {
    name: "ValueEntry",
    field: [
      { name: "key", number: 1, type: type.STRING, label: OPTIONAL },
      { name: "value", number: 2, type: field.type ?? type.STRING, label: OPTIONAL },
    ],
    options: { mapEntry: true },
  });
  const isMap = field.typeName === ".test.Holder.ValueEntry";
  const file = {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    enumType: [
      {
        name: "Color",
        value: [
          { name: "RED", number: 0 },
          { name: "BLUE", number: 5 },
        ],
      },
    ],
    messageType: [
      {
        name: "Holder",
        field: [
          {
            name: "value",
            number: 1,
            label: OPTIONAL,
            ...field,
            ...(isMap ? { type: type.MESSAGE } : {}),
            options,
          },
        ],
        ...(isMap ? { nestedType: [entry] } : {}),
        ...(field.proto3Optional === true ? { oneofDecl: [{ name: "_value" }] } : {}),
      },
    ],
  };
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  const desc = registry.getMessage("test.Holder");
  if (desc === undefined) throw new Error("the message is not in its file");
  return desc;
}

/** The rules of a text. */
export const text = (value: object): Rules => ({ type: { case: "string", value } });
export const string = { type: type.STRING };
