"""Runs a handler `module.function` against the Runtime API where awslambdaric is not installed."""

import http.client
import importlib
import json
import os
import sys
import time
import traceback

BASE = "/2018-06-01/runtime"


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.identity = None
        client_context = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = json.loads(client_context) if client_context else None

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))


class InitError(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def load(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from error
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise InitError("Runtime.HandlerNotFound", message) from error


def describe(kind, error, request_id):
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
    print(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n{''.join(stack)}", flush=True)
    return {"errorMessage": str(error), "errorType": kind, "requestId": request_id, "stackTrace": stack}


def main():
    sys.stdout.reconfigure(line_buffering=True)
    sys.path.insert(0, os.getcwd())
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(method, path, body=None, headers=None):
        connection.request(method, BASE + path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()

    def fail(path, problem):
        headers = {"Lambda-Runtime-Function-Error-Type": problem["errorType"]}
        call("POST", path, json.dumps(problem), headers)

    try:
        handler = load(os.environ["_HANDLER"])
    except InitError as error:
        fail("/init/error", describe(error.kind, error, ""))
        sys.exit(1)
    except Exception as error:
        fail("/init/error", describe(type(error).__name__, error, ""))
        sys.exit(1)
    while True:
        event, payload = call("GET", "/invocation/next")
        context = Context(event.headers)
        trace = event.headers.get("Lambda-Runtime-Trace-Id")
        if trace:
            os.environ["_X_AMZN_TRACE_ID"] = trace
        path = f"/invocation/{context.aws_request_id}"
        try:
            answer = handler(json.loads(payload), context)
        except Exception as error:
            fail(path + "/error", describe(type(error).__name__, error, context.aws_request_id))
            continue
        try:
            body = json.dumps(answer, ensure_ascii=False).encode()
        except (TypeError, ValueError) as error:
            message = f"Unable to marshal response: {error}"
            problem = {"errorMessage": message, "errorType": "Runtime.MarshalError", "requestId": context.aws_request_id, "stackTrace": []}
            fail(path + "/error", problem)
            continue
        call("POST", path + "/response", body)


main()
