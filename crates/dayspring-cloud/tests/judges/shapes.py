"""Holds answers to AWS's own models: `shapes.watch(boto3.Session())` checks every answer that clients of the session get
from then on; `python shapes.py SERVICE OPERATION < ANSWER` checks a recorded {"status": 200, "headers": {}, "body": "..."}.

A complaint is a member that the model does not have, a value of another type, a required member that is missing, an
enumeration's unknown value, a union with more or less than one member, or an error that the operation cannot answer with.
"""

import base64
import binascii
import json
import re
import sys
import xml.etree.ElementTree as ElementTree

# What every service may answer with, beside the errors that an operation's model lists. The services' models leave these
# out. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html and its like.
COMMON_ERRORS = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "IncompleteSignatureException", "InternalFailure", "InternalServerError", "InvalidAction", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException", "RequestTimeTooSkewed", "SerializationException", "SignatureDoesNotMatch",
    "Throttling", "ThrottlingException", "UnknownOperationException", "UnrecognizedClientException", "ValidationError",
    "ValidationException",
}

ISO_8601 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")
RFC_822 = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")


# Values that AWS answers with though its model leaves them out: (shape, value).
KNOWN_VALUES = {
    # As Lambda answers an update: "The function is being created."
    ("LastUpdateStatusReasonCode", "Creating"),
    # The first event of a stack that a change set makes, and those before it deletes what was replaced: of a stack, in the
    # list of the states of resources.
    ("ResourceStatus", "REVIEW_IN_PROGRESS"),
    ("ResourceStatus", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
    ("ResourceStatus", "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"),
}


class Mismatch(AssertionError):
    """An answer that is not what the model says."""


def watch(session, complaints=None):
    """Checks every answer that clients made by the session (of boto3 or of botocore) get. A mismatch is raised where the
    call was made, or appended to `complaints`, where that is given."""
    events = getattr(session, "events", None) or session.get_component("event_emitter")

    def check_answer(operation_model, response_dict, **_):
        found = check(operation_model, response_dict["status_code"], response_dict["headers"], response_dict["body"])
        if found and complaints is None:
            raise Mismatch(f"{operation_model.service_model.service_name} {operation_model.name}: " + "; ".join(found))
        if found:
            complaints.extend(f"{operation_model.name}: {complaint}" for complaint in found)

    events.register("before-parse.*.*", check_answer)


def check(operation_model, status, headers, body):
    """The complaints about one answer. A streamed body is not looked at."""
    headers = {name.lower(): value for name, value in dict(headers).items()}
    protocol = operation_model.service_model.resolved_protocol
    if isinstance(body, str):
        body = body.encode()
    try:
        if status >= 300:
            return _check_error(operation_model, protocol, headers, body)
        shape = operation_model.output_shape
        if shape is None:
            return []
        return _check_success(operation_model, shape, protocol, headers, body)
    except (ValueError, ElementTree.ParseError) as error:
        return [f"the body cannot be read as {protocol}: {error}: {body[:200]!r}"]


def _check_success(operation_model, shape, protocol, headers, body):
    complaints = []
    located = {name: member for name, member in shape.members.items() if "location" in member.serialization}
    for name, member in located.items():
        _check_header(member, name, headers, shape, complaints)
    payload = shape.serialization.get("payload")
    if payload is not None:
        inner = shape.members[payload]
        if inner.type_name in ("blob", "string") or operation_model.has_event_stream_output:
            return complaints
        shape, located = inner, {}
    if protocol in ("json", "rest-json"):
        if body.strip() or protocol == "json":
            _check_json(shape, _json(body), "$", complaints, located)
        elif shape.required_members:
            complaints.append("$: the body is empty")
        return complaints
    element = _xml(body) if body.strip() else None
    if element is None:
        if len(shape.members) > len(located):
            complaints.append("$: the body is empty") if shape.required_members else None
        return complaints
    if protocol == "query":
        expected = f"{operation_model.name}Response"
        if element.tag != expected:
            complaints.append(f"the root is <{element.tag}>, not <{expected}>")
        if element.find("ResponseMetadata/RequestId") is None:
            complaints.append("there is no <ResponseMetadata> with a <RequestId>")
        wrapper = shape.serialization.get("resultWrapper")
        if wrapper is not None:
            element = element.find(wrapper)
            if element is None:
                return [*complaints, f"there is no <{wrapper}>"]
    _check_xml(shape, element, "$", complaints, {*located, "ResponseMetadata"} if protocol == "query" else set(located))
    return complaints


def _check_header(member, name, headers, shape, complaints):
    location = member.serialization["location"]
    if location == "header":
        value = headers.get(member.serialization.get("name", name).lower())
        if value is None:
            if name in shape.required_members:
                complaints.append(f"{name}: the header is missing")
        else:
            _check_text(member, value, name, complaints, "rfc822")


def _check_error(operation_model, protocol, headers, body):
    if protocol in ("json", "rest-json"):
        members = _json(body) if body.strip() else {}
        if not isinstance(members, dict):
            return ["an error's body is not an object"]
        code = headers.get("x-amzn-errortype") if protocol == "rest-json" else members.get("__type")
        code = code or members.get("__type") or members.get("code")
        if code is None:
            return ["the error has no kind"]
        code = code.split(":")[0].rsplit("#")[-1]
    else:
        if not body.strip():
            return []  # The answer to a HEAD request.
        element = _xml(body)
        code = element.findtext("Error/Code") or element.findtext("Code")
        if code is None:
            return ["the error has no <Code>"]
        if protocol == "query" and element.tag != "ErrorResponse":
            return [f"the root is <{element.tag}>, not <ErrorResponse>"]
        if protocol == "query" and element.findtext("Error/Type") not in ("Sender", "Receiver"):
            return ["the error has no <Type>"]
        members = None
    shapes = {_error_code(shape): shape for shape in operation_model.error_shapes}
    known = {_error_code(shape) for shape in operation_model.service_model.error_shapes}
    if operation_model.service_model.service_name == "s3":
        return []  # S3's model lists next to none of its errors.
    if code not in shapes and code not in COMMON_ERRORS:
        return [f"{operation_model.name} has no error `{code}`" + (" though the service has" if code in known else "")]
    complaints = []
    if members is not None and code in shapes:
        renamed = {"message" if name in ("Message", "message") else name: value for name, value in members.items()}
        # Every error has a message on the wire, also where its shape leaves that out.
        names = {"message", *(name for name in shapes[code].members if name != "Message")}
        complaints += [f"{code}: unknown member `{name}`" for name in renamed if name not in {*names, "__type", "code"}]
        for name, value in members.items():
            if name in shapes[code].members:
                _check_json(shapes[code].members[name], value, f"{code}.{name}", complaints)
    return complaints


def _error_code(shape):
    return shape.metadata.get("error", {}).get("code", shape.name)


def _json(body):
    def unique(pairs):
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("a member appears twice")
        return members

    return json.loads(body, object_pairs_hook=unique)


def _check_json(shape, value, path, complaints, skipped=()):
    if value is None:
        return
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            complaints.append(f"{path}: {_type(value)} instead of a structure")
            return
        if getattr(shape, "is_document_type", False):
            return
        names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
        complaints += [f"{path}: unknown member `{name}`" for name in value if name not in names]
        present = {names[name] for name, inner in value.items() if name in names and inner is not None}
        complaints += [f"{path}: `{name}` is missing" for name in shape.required_members if name not in {*present, *skipped}]
        if getattr(shape, "is_tagged_union", False) and len(present) != 1:
            complaints.append(f"{path}: a union with {len(present)} members")
        for name, inner in value.items():
            if name in names:
                _check_json(shape.members[names[name]], inner, f"{path}.{name}", complaints)
    elif kind == "list":
        if not isinstance(value, list):
            complaints.append(f"{path}: {_type(value)} instead of a list")
            return
        for index, inner in enumerate(value):
            _check_json(shape.member, inner, f"{path}[{index}]", complaints)
    elif kind == "map":
        if not isinstance(value, dict):
            complaints.append(f"{path}: {_type(value)} instead of a map")
            return
        for name, inner in value.items():
            _check_text(shape.key, name, f"{path}({name})", complaints)
            _check_json(shape.value, inner, f"{path}.{name}", complaints)
    elif kind == "boolean":
        if not isinstance(value, bool):
            complaints.append(f"{path}: {_type(value)} instead of a boolean")
    elif kind in ("integer", "long"):
        if not isinstance(value, int) or isinstance(value, bool):
            complaints.append(f"{path}: {_type(value)} instead of a whole number")
        elif not -(2 ** _bits(kind)) <= value < 2 ** _bits(kind):
            complaints.append(f"{path}: {value} does not fit into {_bits(kind) + 1} bits")
    elif kind in ("float", "double"):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            complaints.append(f"{path}: {_type(value)} instead of a number")
    elif kind == "timestamp":
        if shape.serialization.get("timestampFormat", "unixTimestamp") != "unixTimestamp":
            _check_text(shape, value, path, complaints)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            complaints.append(f"{path}: {_type(value)} instead of seconds since 1970")
    elif not isinstance(value, str):
        complaints.append(f"{path}: {_type(value)} instead of text")
    else:
        _check_text(shape, value, path, complaints)


def _xml(body):
    root = ElementTree.fromstring(body)
    for element in root.iter():
        element.tag = element.tag.rsplit("}")[-1]
    return root


def _check_xml(shape, element, path, complaints, skipped=()):
    kind = shape.type_name
    if kind == "structure":
        names = {_xml_name(name, member): name for name, member in shape.members.items()}
        attributes = {name for name, member in shape.members.items() if member.serialization.get("xmlAttribute")}
        found = {}
        for child in element:
            found.setdefault(child.tag, []).append(child)
        complaints += [f"{path}: unknown member <{tag}>" for tag in found if tag not in names and tag not in skipped]
        present = {names[tag] for tag in found if tag in names}
        missing = set(shape.required_members) - present - attributes - set(skipped)
        complaints += [f"{path}: <{name}> is missing" for name in sorted(missing)]
        for tag, children in found.items():
            if tag not in names:
                continue
            member = shape.members[names[tag]]
            if member.type_name in ("list", "map") and member.serialization.get("flattened"):
                inner = member.member if member.type_name == "list" else None
                for index, child in enumerate(children if inner is not None else []):
                    _check_xml(inner, child, f"{path}.{tag}[{index}]", complaints)
            elif len(children) > 1:
                complaints.append(f"{path}: <{tag}> appears {len(children)} times")
            else:
                _check_xml(member, children[0], f"{path}.{tag}", complaints)
    elif kind == "list":
        name = shape.member.serialization.get("name", "member")
        for index, child in enumerate(element):
            if child.tag != name:
                complaints.append(f"{path}: <{child.tag}> instead of <{name}>")
            _check_xml(shape.member, child, f"{path}[{index}]", complaints)
    elif kind == "map":
        for entry in element:
            if entry.tag != "entry" or len(entry) != 2:
                complaints.append(f"{path}: <{entry.tag}> is no entry with a key and a value")
            else:
                _check_xml(shape.value, entry[1], f"{path}.{entry[0].text}", complaints)
    elif len(element) > 0:
        complaints.append(f"{path}: members instead of {kind}")
    else:
        _check_text(shape, element.text or "", path, complaints)


def _xml_name(name, member):
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.member.serialization.get("name", member.serialization.get("name", name))
    return member.serialization.get("name", name)


def _check_text(shape, text, path, complaints, timestamp="iso8601"):
    """A value that is written as text, as all values are in XML and in headers."""
    kind = shape.type_name
    if kind == "boolean" and text not in ("true", "false"):
        complaints.append(f"{path}: `{text}` instead of a boolean")
    elif kind in ("integer", "long") and not re.fullmatch(r"-?\d+", text):
        complaints.append(f"{path}: `{text}` instead of a whole number")
    elif kind in ("float", "double") and not re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", text):
        complaints.append(f"{path}: `{text}` instead of a number")
    elif kind == "timestamp":
        form = RFC_822 if shape.serialization.get("timestampFormat", timestamp) == "rfc822" else ISO_8601
        if not isinstance(text, str) or not form.match(text):
            complaints.append(f"{path}: `{text}` is no time of the form {form.pattern}")
    elif kind == "blob":
        try:
            base64.b64decode(text, validate=True)
        except binascii.Error:
            complaints.append(f"{path}: not base64")
    elif kind == "string" and shape.enum and text not in shape.enum and (shape.name, text) not in KNOWN_VALUES:
        complaints.append(f"{path}: `{text}` is none of {shape.enum}")


def _bits(kind):
    return 31 if kind == "integer" else 63


def _type(value):
    return {bool: "a boolean", int: "a whole number", float: "a number", str: "text", list: "a list", dict: "a structure"}[type(value)]


def main():
    import botocore.session

    service, operation = sys.argv[1:]
    model = botocore.session.get_session().get_service_model(service).operation_model(operation)
    answer = json.load(sys.stdin)
    complaints = check(model, answer["status"], answer.get("headers", {}), answer["body"])
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
