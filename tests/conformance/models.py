"""Checks recorded calls against AWS's own service models, as botocore ships them.

Every request of a function must be valid: no unknown member, nothing required missing, types, enums, lengths, ranges
and patterns as in the model. Every response of the sandbox must be possible for the service: botocore's own parser
reads it, it has no member that the model lacks, and an error is one of the operation's or one that every service has.

usage: models.py <folder of a run with SLIPWAY_RECORD>
"""

import base64
import gzip
import json
import re
import sys
import tomllib
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

from botocore.compat import HTTPHeaders
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser
from botocore.validate import ParamValidator, ValidationErrors

from record import calls, operations

ROOT = Path(__file__).resolve().parents[2]

# botocore's name of a service that signs with another one.
MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}
# The Rust SDK's names.
CRATES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatch": "monitoring",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "eventbridge": "events",
}

# Errors that the frameworks in front of the services return, which no operation's model lists
# (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html and its siblings).
COMMON_ERRORS = {
    "AccessDeniedException",
    "InternalFailure",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
}
OWN_ERRORS = {
    "elasticloadbalancing": {"AccessDenied", "InvalidAction", "MissingAction", "Throttling", "ValidationError"},
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
    "monitoring": {"AccessDenied", "InvalidClientTokenId", "Throttling", "ValidationError"},
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "s3": {
        "AccessDenied",
        "BadDigest",
        "ExpiredToken",
        "IncompleteBody",
        "InternalError",
        "InvalidArgument",
        "InvalidRange",
        "MethodNotAllowed",
        "BucketNotEmpty",
        "MalformedXML",
        "NoSuchBucket",
        "NoSuchKey",
        "NoSuchVersion",
        "NotImplemented",
        "PreconditionFailed",
        "SlowDown",
    },
}

# Requests that a function may send although AWS refuses them, by operation: a regular expression of the problem.
REFUSED_ON_PURPOSE = {
    # An operator's release has an id of its own; by the ValidationException the sweep knows that it is
    # not CodePipeline's.
    "codepipeline:GetPipelineExecution": r"pipelineExecutionId: `.*` does not match ",
}

# Error codes of an operation that does not exist or is not served by the sandbox.
UNKNOWN = {"UnknownOperationException", "InvalidAction", "NotImplemented"}

# Members of a request that the transport or the SDK adds.
S3_QUERY = {"x-id", "list-type"}
S3_HEADERS = {
    "amz-sdk-invocation-id", "amz-sdk-request", "connection", "content-length", "content-encoding", "host", "transfer-encoding",
    "x-amz-content-sha256", "x-amz-date", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-te",
}


# Members that unit tests invented, to prove that unknown members survive.
ON_PURPOSE = r'Unknown parameter in .*"(\w+OfTomorrow|alsoNew)"'
# A response may have an empty list where the model, which it shares with requests, requires one item.
EMPTY = r"Invalid length for parameter .*, value: 0, valid min length: 1"
# AWS answers a table that never was decreased with 0, and its model requires 1.
NEVER_DECREASED = r"Invalid value for parameter .*\.NumberOfDecreasesToday, value: 0, valid min value: 1"
ANSWERED = [EMPTY, NEVER_DECREASED]


class Strict(ParamValidator):
    """botocore's validator, extended by enums, upper bounds and patterns, which it leaves to the service.

    With `wire`, timestamps and blobs are as in JSON.
    """

    def __init__(self, wire, allowed=()):
        self.wire = wire
        self.allowed = [*allowed, ON_PURPOSE]
        self.found = []

    def problems(self, value, shape):
        errors = ValidationErrors()
        self._validate(value, shape, errors, "")
        report = errors.generate_report().splitlines() if errors.has_errors() else []
        return self.found + [line for line in report if not any(re.search(reason, line) for reason in self.allowed)]

    def _say(self, name, text):
        self.found.append(f"{name.lstrip('.') or '(all)'}: {text}")

    def _at_most(self, name, shape, size, what):
        limit = shape.metadata.get("max")
        if limit is not None and size > limit:
            self._say(name, f"{what} {size}, at most {limit}")

    def _validate_structure(self, params, shape, errors, name):
        super()._validate_structure(params, shape, errors, name)
        if not isinstance(params, dict):
            return
        for key, value in params.items():
            if value is None:
                self._say(f"{name}.{key}", "null instead of nothing")

    def _validate_string(self, param, shape, errors, name):
        super()._validate_string(param, shape, errors, name)
        if not isinstance(param, str):
            return
        self._at_most(name, shape, len(param), "length")
        if shape.enum and param not in shape.enum:
            self._say(name, f"`{param}` is not one of {', '.join(shape.enum)}")
        pattern = shape.metadata.get("pattern")
        if pattern and not matches(pattern, param):
            self._say(name, f"`{param}` does not match {pattern}")

    def _validate_list(self, param, shape, errors, name):
        super()._validate_list(param, shape, errors, name)
        if isinstance(param, (list, tuple)):
            self._at_most(name, shape, len(param), "count")

    def _validate_map(self, param, shape, errors, name):
        super()._validate_map(param, shape, errors, name)
        if isinstance(param, dict):
            self._at_most(name, shape, len(param), "count")

    def _validate_integer(self, param, shape, errors, name):
        super()._validate_integer(param, shape, errors, name)
        if isinstance(param, int):
            self._at_most(name, shape, param, "value")

    _validate_long = _validate_integer

    def _validate_timestamp(self, param, shape, errors, name):
        expected = (int, float) if self.wire else datetime
        if isinstance(param, bool) or not isinstance(param, expected):
            self._say(name, f"`{param}` is no timestamp")

    def _validate_blob(self, param, shape, errors, name):
        if not self.wire:
            return super()._validate_blob(param, shape, errors, name)
        try:
            base64.b64decode(param, validate=True)
        except (TypeError, ValueError):
            self._say(name, "a blob that is not base64")


@cache
def matches(pattern, text):
    try:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    except re.error:
        # A few patterns are in another dialect (\\p{L}); those are not checked.
        return True


def form(shape, pairs, prefix=""):
    """The value of a query request's parameters; the used ones are removed from `pairs`."""
    kind = shape.type_name
    if kind == "structure":
        members = {}
        for name, member in shape.members.items():
            key = member.serialization.get("name", name)
            value = form(member, pairs, f"{prefix}.{key}" if prefix else key)
            if value is not None:
                members[name] = value
        return members if members or not prefix else None
    if kind == "list":
        flat = shape.serialization.get("flattened")
        values = []
        while (value := form(shape.member, pairs, f"{prefix}.{'' if flat else 'member.'}{len(values) + 1}")) is not None:
            values.append(value)
        return values or None
    if kind == "map":
        entries = {}
        while (key := pairs.pop(f"{prefix}.entry.{len(entries) + 1}.key", None)) is not None:
            entries[key] = form(shape.value, pairs, f"{prefix}.entry.{len(entries) + 1}.value")
        return entries or None
    text = pairs.pop(prefix, None)
    if text is None:
        return None
    if kind in ("integer", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    return text == "true" if kind == "boolean" else text


def unknown_elements(shape, element, path):
    """Elements of an XML response that are not in the model."""
    tag = lambda child: child.tag.rsplit("}", 1)[-1]
    if shape.type_name == "structure":
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for child in element:
            if tag(child) not in known:
                yield f"{path}.{tag(child)}: no member of {shape.name}"
                continue
            member = known[tag(child)]
            flat = member.type_name == "list" and member.serialization.get("flattened")
            yield from unknown_elements(member.member if flat else member, child, f"{path}.{tag(child)}")
    elif shape.type_name == "list":
        expected = shape.member.serialization.get("name", "member")
        for child in element:
            if tag(child) != expected:
                yield f"{path}.{tag(child)}: expected items named {expected}"
            else:
                yield from unknown_elements(shape.member, child, path)


class Service:
    """One service's model and the checks of calls against it."""

    def __init__(self, name):
        self.name = name
        model = MODELS.get(name, name)
        self.model = ServiceModel(Loader().load_service_model(model, "service-2"), model)
        self.protocol = self.model.protocol
        self.parser = create_parser(self.protocol)

    def operation(self, name):
        return self.model.operation_model(name) if name in self.model.operation_names else None

    def errors(self, operation):
        own = {shape.error_code for shape in operation.error_shapes}
        return own | COMMON_ERRORS | OWN_ERRORS.get(self.name, set())

    def request_problems(self, operation, request):
        shape = operation.input_shape
        if self.protocol == "json":
            headers = request["headers"]
            prefix = self.model.metadata["targetPrefix"]
            version = self.model.metadata["jsonVersion"]
            if headers.get("x-amz-target") != f"{prefix}.{operation.name}":
                yield f"x-amz-target is {headers.get('x-amz-target')}"
            if headers.get("content-type") != f"application/x-amz-json-{version}":
                yield f"content-type is {headers.get('content-type')}"
            yield from Strict(wire=True).problems(json.loads(request["body"] or "{}"), shape)
        elif self.protocol == "query":
            pairs = dict(parse_qsl(request["body"], keep_blank_values=True))
            if pairs.pop("Version", None) != self.model.api_version:
                yield f"Version is not {self.model.api_version}"
            pairs.pop("Action")
            yield from Strict(wire=False).problems(form(shape, pairs), shape)
            yield from (f"{key}: no member of {shape.name}" for key in pairs)
        elif self.protocol == "smithy-rpc-v2-cbor":
            raw = octets(request["body"])
            if request["headers"].get("content-encoding") == "gzip":
                raw = gzip.decompress(raw)
            if not request["target"].endswith(f"/service/{self.model.metadata['targetPrefix']}/operation/{operation.name}"):
                yield f"the path is {request['target']}"
            given = self.parser.parse_data_item(self.parser.get_peekable_stream_from_bytes(raw)) if raw else {}
            yield from Strict(wire=False).problems(given, shape)
        else:
            params, strange = self.rest(operation, request)
            yield from (f"{key}: no member of {shape.name}" for key in strange)
            yield from Strict(wire=False).problems(params, shape)

    def rest(self, operation, request):
        """The parameters of a REST request to S3, and the parts that match no member of the operation."""
        url = urlsplit(request["target"])
        path = unquote(url.path).lstrip("/")
        bucket, _, rest = request["host"].partition(".s3.")
        if not rest:
            bucket, _, path = path.partition("/")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        headers = {name: value for name, value in request["headers"].items() if name not in S3_HEADERS}
        params = {}
        for name, member in operation.input_shape.members.items():
            where, key = member.serialization.get("location"), member.serialization.get("name", name)
            if where == "uri":
                params[name] = bucket if name == "Bucket" else path
            elif where == "querystring" and key in query:
                params[name] = scalar(member, query.pop(key))
            elif where == "header" and key.lower() in headers:
                params[name] = scalar(member, headers.pop(key.lower()))
        return params, [key for key in query if key not in S3_QUERY] + list(headers)

    def answer_problems(self, operation, answer, error):
        status, body = answer["status"], answer["body"]
        raw = octets(body)
        # The parser expects a file if the body is a stream in the model.
        streams = operation.has_streaming_output and status < 400
        response = {"status_code": status, "headers": HTTPHeaders(), "body": Stream(raw) if streams else raw}
        for name, value in answer["headers"].items():
            response["headers"][name] = value
        parsed = self.parser.parse(response, operation.output_shape)
        if status >= 400:
            yield from self.error_problems(operation, parsed, raw, error)
            return
        if error is not None:
            yield f"status {status} with error {error}"
        shape = operation.output_shape
        if shape is None:
            if raw not in (b"", b"{}"):
                yield "a response, but the operation has none"
            return
        if self.protocol == "json":
            yield from Strict(wire=True, allowed=ANSWERED).problems(json.loads(raw), shape)
        parsed.pop("ResponseMetadata")
        yield from Strict(wire=False, allowed=ANSWERED).problems(parsed, shape)
        if self.protocol in ("query", "rest-xml") and not operation.has_streaming_output and raw:
            root = ElementTree.fromstring(raw)
            if self.protocol == "query":
                root = next(child for child in root if child.tag.endswith(shape.serialization["resultWrapper"]))
            # With a payload member, the document of a response is that member.
            payload = shape.serialization.get("payload")
            yield from unknown_elements(shape.members[payload] if payload else shape, root, operation.name)

    def error_problems(self, operation, parsed, raw, error):
        code = parsed["Error"]["Code"]
        if raw and code != error:
            yield f"the response has {code}, the log {error}"
        own = {shape.error_code: shape for shape in operation.error_shapes}
        if error not in self.errors(operation):
            yield f"{error} is no error of {operation.name}"
        if error in own and self.protocol == "json":
            members = {key: value for key, value in json.loads(raw).items() if key not in ("__type", "message", "Message")}
            yield from Strict(wire=True).problems(members, own[error])


def octets(body):
    """A recorded body; for an object only the size is recorded."""
    if isinstance(body, str):
        return body.encode()
    return bytes.fromhex(body["hex"]) if "hex" in body else b"\0" * body["bytes"]


class Stream:
    def __init__(self, raw):
        self.raw = raw

    def read(self, *_):
        return self.raw


def without_nulls(value):
    """An input as the JSON protocols read it: a null is absent."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def scalar(shape, text):
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text == "true" if shape.type_name == "boolean" else text


def used_services():
    """The services for which the workspace has an SDK crate."""
    dependencies = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["dependencies"]
    crates = [name.removeprefix("aws-sdk-") for name in dependencies if name.startswith("aws-sdk-")]
    return {CRATES.get(name, name) for name in crates}


class Checks:
    """The checked operations, and the failures."""

    def __init__(self):
        self.services, self.failures, self.seen, self.passed = {}, Counter(), Counter(), 0

    def service(self, name):
        if name not in self.services:
            self.services[name] = Service(name)
        return self.services[name]

    def took(self, name, word, error, problems):
        self.seen[name, word, error or ""] += 1
        for problem in problems:
            self.failures[f"{name}:{word} {problem}"] += 1
        self.passed += not problems

    def call(self, call):
        """A call over HTTP, with its response as bytes."""
        name, word, error = call["service"], call["operation"], call["error"]
        # Unit tests send operations that do not exist; the response must be such an error.
        if not name or error in UNKNOWN:
            return
        service = self.service(name)
        operation = service.operation(word)
        if operation is None:
            return self.took(name, word, error, ["is no operation of the service"])
        problems = [f"answer: {problem}" for problem in service.answer_problems(operation, call["answer"], error)]
        # A test's own requests have no header of the SDK; an operator's request is checked if it succeeded.
        by_sdk = "amz-sdk-request" in call["request"]["headers"]
        if by_sdk and (error is None or call["caller"].startswith("slipway-")):
            known = REFUSED_ON_PURPOSE.get(f"{name}:{word}", "(?!)") if error == "ValidationException" else "(?!)"
            wrong = [problem for problem in service.request_problems(operation, call["request"]) if not re.match(known, problem)]
            problems += [f"request: {problem}" for problem in wrong]
        self.took(name, word, error, problems)

    def operation(self, record):
        """An operation that was called in the process, without HTTP."""
        name, word, error = record["service"], record["operation"], record["error"]
        if error in UNKNOWN:
            return
        service = self.service(name)
        operation = service.operation(word)
        if operation is None:
            return self.took(name, word, error, ["is no operation of the service"])
        if error is not None:
            known = service.errors(operation)
            return self.took(name, word, error, [] if error in known else [f"answer: {error} is not one of its errors"])
        problems = []
        if operation.output_shape is not None:
            output = {} if record["output"] is None else record["output"]
            problems = [f"answer: {problem}" for problem in Strict(wire=True, allowed=ANSWERED).problems(output, operation.output_shape)]
        given = without_nulls(record["input"])
        problems += [f"taken: {problem}" for problem in Strict(wire=True).problems(given, operation.input_shape)]
        self.took(name, word, error, problems)


def check(folder):
    checks = Checks()
    for call in calls(folder):
        checks.call(call)
    for record in operations(folder):
        checks.operation(record)
    called = {service for service, _, _ in checks.seen}
    for name in sorted(used_services() - called):
        checks.failures[f"{name}: no call was recorded, and the project uses it"] += 1
    return checks


def main():
    checks = check(Path(sys.argv[1]))
    passed, failures, seen = checks.passed, checks.failures, checks.seen
    for (service, operation, error), count in sorted(seen.items()):
        print(f"{count:7} {service}:{operation} {error}")
    for failure, count in failures.most_common():
        print(f"failed {count} times: {failure}")
    print(f"models: {passed} passed, {sum(failures.values())} failed")
    return 1 if failures or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
