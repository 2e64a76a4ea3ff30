"""One service's model as botocore ships it, and the checks of calls against it."""

import gzip
import json
import re
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

from botocore.compat import HTTPHeaders
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import create_parser

from model_checks.values import ANSWERED, Strict
from model_checks.wire import Stream, document, form, octets, scalar, tag, unknown_elements

CBOR = "smithy-rpc-v2-cbor"

# botocore's name of a service that signs with another one.
MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}

# Errors that the frameworks in front of the services return, which no operation's model lists
# (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html and its siblings).
COMMON_ERRORS = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "InternalFailure",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationException",
}
OWN_ERRORS = {
    "elasticloadbalancing": {
        "AccessDenied", "ExpiredToken", "InvalidAction", "InvalidClientTokenId", "MissingAction", "SignatureDoesNotMatch", "Throttling",
        "ValidationError",
    },
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html
    "monitoring": {"AccessDenied", "ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "Throttling", "ValidationError"},
    # https://docs.aws.amazon.com/Route53/latest/APIReference/CommonErrors.html
    "route53": {"AccessDenied", "ExpiredToken", "InvalidClientTokenId", "SignatureDoesNotMatch", "Throttling"},
    # https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
    "sts": {
        "AccessDenied", "ExpiredToken", "InvalidAction", "InvalidClientTokenId", "InvalidParameterValue", "MalformedInput",
        "MissingAction", "SignatureDoesNotMatch", "Throttling", "ValidationError",
    },
    # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    "s3": {
        "AccessDenied",
        "BadDigest",
        "ExpiredToken",
        "IncompleteBody",
        "InvalidAccessKeyId",
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
        "NotModified",
        "PreconditionFailed",
        "SlowDown",
    },
}

# Members of a request that the transport or the SDK adds.
S3_QUERY = {"x-id", "list-type"}
S3_HEADERS = {
    "amz-sdk-invocation-id", "amz-sdk-request", "connection", "content-length", "content-encoding", "host", "transfer-encoding",
    "x-amz-content-sha256", "x-amz-date", "x-amz-decoded-content-length", "x-amz-trailer", "x-amz-te",
}


class Service:
    """One service's model and the checks of calls against it."""

    def __init__(self, name):
        self.name = name
        model = MODELS.get(name, name)
        self.model = ServiceModel(Loader().load_service_model(model, "service-2"), model)
        self.protocol = self.model.protocol

    def spoken(self, headers):
        """The protocol of a message: a client chooses, where a service has several."""
        if headers.get("smithy-protocol") == "rpc-v2-cbor":
            return CBOR
        # A model that names CBOR first still has JSON.
        return "json" if self.protocol == CBOR else self.protocol

    def operation(self, name):
        return self.model.operation_model(name) if name in self.model.operation_names else None

    def errors(self, operation):
        own = {shape.error_code for shape in operation.error_shapes}
        return own | COMMON_ERRORS | OWN_ERRORS.get(self.name, set())

    def request_problems(self, operation, request):
        shape, protocol = operation.input_shape, self.spoken(request["headers"])
        if protocol == "json":
            headers = request["headers"]
            prefix = self.model.metadata["targetPrefix"]
            version = self.model.metadata["jsonVersion"]
            if headers.get("x-amz-target") != f"{prefix}.{operation.name}":
                yield f"x-amz-target is {headers.get('x-amz-target')}"
            if headers.get("content-type") != f"application/x-amz-json-{version}":
                yield f"content-type is {headers.get('content-type')}"
            yield from Strict(wire=True).problems(json.loads(request["body"] or "{}"), shape)
        elif protocol == "query":
            pairs = dict(parse_qsl(request["body"], keep_blank_values=True))
            if pairs.pop("Version", None) != self.model.api_version:
                yield f"Version is not {self.model.api_version}"
            pairs.pop("Action")
            yield from Strict(wire=False).problems(form(shape, pairs), shape)
            yield from (f"{key}: no member of {shape.name}" for key in pairs)
        elif protocol == CBOR:
            raw = octets(request["body"])
            if request["headers"].get("content-encoding") == "gzip":
                raw = gzip.decompress(raw)
            if not request["target"].endswith(f"/service/{self.model.metadata['targetPrefix']}/operation/{operation.name}"):
                yield f"the path is {request['target']}"
            parser = create_parser(CBOR)
            given = parser.parse_data_item(parser.get_peekable_stream_from_bytes(raw)) if raw else {}
            yield from Strict(wire=False).problems(given, shape)
        else:
            params, strange = (self.rest if self.name == "s3" else self.rest_xml)(operation, request)
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

    def rest_xml(self, operation, request):
        """The parameters of a REST request with a document or a payload, and the parts that match no member of the operation."""
        url, shape = urlsplit(request["target"]), operation.input_shape
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.http["requestUri"].rstrip("/"))
        path = re.fullmatch(f"{pattern}/?", unquote(url.path))
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        payload = shape.serialization.get("payload")
        root = ElementTree.fromstring(request["body"]) if request["body"] and not payload else ()
        children = {tag(child): child for child in root}
        params = {}
        for name, member in shape.members.items():
            where, key = member.serialization.get("location"), member.serialization.get("name", name)
            if where == "uri" and path:
                params[name] = path[key]
            elif where == "querystring" and key in query:
                params[name] = scalar(member, query.pop(key))
            elif where == "header" and key.lower() in request["headers"]:
                params[name] = scalar(member, request["headers"][key.lower()])
            elif name == payload:
                params[name] = octets(request["body"])
            elif where is None and key in children:
                params[name] = document(member, children[key])
        strange = list(unknown_elements(shape, root, operation.name)) + ([] if path else [url.path])
        return params, [*query, *strange]

    def answer_problems(self, operation, answer, error):
        status, body, protocol = answer["status"], answer["body"], self.spoken(answer["headers"])
        raw = octets(body)
        # As botocore's parser has it.
        is_error = status >= 301
        # The parser expects a file if the body is a stream in the model.
        streams = operation.has_streaming_output and not is_error
        response = {"status_code": status, "headers": HTTPHeaders(), "body": Stream(raw) if streams else raw}
        for name, value in answer["headers"].items():
            response["headers"][name] = value
        parsed = create_parser(protocol).parse(response, operation.output_shape)
        if is_error:
            yield from self.error_problems(operation, parsed, (protocol, raw), error)
            return
        if error is not None:
            yield f"status {status} with error {error}"
        shape = operation.output_shape
        if shape is None:
            if raw not in (b"", b"{}"):
                yield "a response, but the operation has none"
            return
        if protocol == "json":
            yield from Strict(wire=True, allowed=ANSWERED).problems(json.loads(raw), shape)
        parsed.pop("ResponseMetadata")
        yield from Strict(wire=False, allowed=ANSWERED).problems(parsed, shape)
        if protocol in ("query", "rest-xml") and not operation.has_streaming_output and raw:
            root = ElementTree.fromstring(raw)
            if protocol == "query":
                root = next(child for child in root if child.tag.endswith(shape.serialization["resultWrapper"]))
            # With a payload member, the document of a response is that member.
            payload = shape.serialization.get("payload")
            yield from unknown_elements(shape.members[payload] if payload else shape, root, operation.name)

    def error_problems(self, operation, parsed, body, error):
        protocol, raw = body
        code = parsed["Error"]["Code"]
        if raw and code != error:
            yield f"the response has {code}, the log {error}"
        own = {shape.error_code: shape for shape in operation.error_shapes}
        if error not in self.errors(operation):
            yield f"{error} is not an error of {operation.name}"
        if error in own and protocol == "json":
            members = {key: value for key, value in json.loads(raw).items() if key not in ("__type", "message", "Message")}
            yield from Strict(wire=True).problems(members, own[error])
