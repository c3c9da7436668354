"""A gRPC client without generated code: it knows a FileDescriptorSet and an address.

Reads {target, descriptors, calls: [{rpc, request, path?, keep?, bearer?}]} from standard input, makes
the calls in turn, and writes how each ended.
"""

import json
import sys

import grpc
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, json_format, message_factory


def load_pool(path):
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as file:
        files.ParseFromString(file.read())
    any_file = descriptor_pb2.FileDescriptorProto()
    any_pb2.DESCRIPTOR.CopyToProto(any_file)
    pool = descriptor_pool.DescriptorPool()
    names = {file.name for file in files.file}
    for file in ([] if any_file.name in names else [any_file]) + list(files.file):
        pool.Add(file)
    return pool


def message_class(pool, name):
    descriptor = pool.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def to_dict(message):
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def read_details(pool, error):
    trailers = dict(error.trailing_metadata())
    status = message_class(pool, "google.rpc.Status")()
    status.ParseFromString(trailers.get("grpc-status-details-bin", b""))
    details = []
    for detail in status.details:
        name = detail.type_url.rsplit("/", 1)[-1]
        message = message_class(pool, name)()
        message.ParseFromString(detail.value)
        details.append({"type": name, **to_dict(message)})
    return details


def main():
    asked = json.load(sys.stdin)
    pool = load_pool(asked["descriptors"])
    kept = None
    answers = []
    with grpc.insecure_channel(asked["target"]) as channel:
        for call in asked["calls"]:
            service, _, name = call["rpc"].partition("/")
            method = pool.FindServiceByName(service).methods_by_name[name]
            request = message_class(pool, method.input_type.full_name)()
            json_format.ParseDict(call.get("request", {}), request)
            invoke = channel.unary_unary(
                call.get("path", "/" + call["rpc"]),
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=message_class(pool, method.output_type.full_name).FromString,
            )
            metadata = [("authorization", "Bearer " + kept)] if call.get("bearer") else []
            try:
                message = to_dict(invoke(request, timeout=10, metadata=metadata))
                kept = message.get(call.get("keep"), kept)
                answers.append({"code": "OK", "message": message})
            except grpc.RpcError as error:
                answers.append({
                    "code": error.code().name,
                    "sentence": error.details(),
                    "details": read_details(pool, error),
                })
    json.dump(answers, sys.stdout)


main()
