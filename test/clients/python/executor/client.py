"""RL Arena's executor, called as its backend does: by stubs that grpcio-tools makes of the messages.

    client.py ADDRESS STUBS

STUBS is the folder that protoc wrote to. Standard input has one JSON object a line: {"id", "call", "request"} makes a call,
optionally with "timeout" (seconds) and "token"; {"id", "cancel": true} drops one. Standard output has one line for each call's
end, in whatever order they come: {"id", "response"} with every field, or {"id", "error", "details"}.
"""

import json
import sys
import threading

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict
from grpc_health.v1 import health_pb2, health_pb2_grpc

address, stubs = sys.argv[1:]
sys.path.insert(0, stubs)
import executor_pb2  # noqa: E402
import executor_pb2_grpc  # noqa: E402

channel = grpc.insecure_channel(address)
executor = executor_pb2_grpc.ExecutorStub(channel)
health = health_pb2_grpc.HealthStub(channel)
calls = {
    "RunMatch": (executor.RunMatch, executor_pb2.MatchRequest),
    "ValidateAgent": (executor.ValidateAgent, executor_pb2.ValidationRequest),
    "HealthCheck": (executor.HealthCheck, executor_pb2.HealthCheckRequest),
    "grpc.health.v1": (health.Check, health_pb2.HealthCheckRequest),
}
lock = threading.Lock()
running = {}


def say(line):
    with lock:
        print(json.dumps(line), flush=True)


def ended(name, future):
    running.pop(name, None)
    try:
        response = future.result()
    except grpc.RpcError as error:
        say({"id": name, "error": error.code().name, "details": error.details()})
    except grpc.FutureCancelledError:
        say({"id": name, "error": "CANCELLED", "details": ""})
    else:
        fields = MessageToDict(
            response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        say({"id": name, "response": fields})


for line in sys.stdin:
    asked = json.loads(line)
    name = asked["id"]
    if asked.get("cancel"):
        # It may have ended just now.
        if name in running:
            running[name].cancel()
        continue
    call, message = calls[asked["call"]]
    metadata = [("authorization", "Bearer " + asked["token"])] if "token" in asked else None
    request = ParseDict(asked["request"], message())
    future = call.future(request, timeout=asked.get("timeout"), metadata=metadata)
    running[name] = future
    future.add_done_callback(lambda done, name=name: ended(name, done))
