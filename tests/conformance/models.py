"""Checks recorded calls against AWS's own service models, as botocore ships them.

Every request of a function must be valid: no unknown member, nothing required missing, types, enums, lengths, ranges
and patterns as in the model. Every response of the sandbox must be possible for the service: botocore's own parser
reads it, it has no member that the model lacks, and an error is one of the operation's or one that every service has.

usage: models.py <folder of a run with SLIPWAY_RECORD>
"""

import json
import re
import sys
import tomllib
from collections import Counter
from functools import cache
from itertools import islice
from multiprocessing import Pool
from pathlib import Path

from model_checks.service import Service
from model_checks.values import ANSWERED, Strict
from model_checks.wire import without_nulls
from record import lines

ROOT = Path(__file__).resolve().parents[2]

# The Rust SDK's names.
CRATES = {
    "applicationautoscaling": "application-autoscaling",
    "cloudwatch": "monitoring",
    "elasticloadbalancingv2": "elasticloadbalancing",
    "eventbridge": "events",
}

# Requests that a function may send although AWS refuses them, by operation: a regular expression of the problem.
REFUSED_ON_PURPOSE = {
    # An operator's release has an id of its own; by the ValidationException the sweep knows that it is
    # not CodePipeline's.
    "codepipeline:GetPipelineExecution": r"(pipelineExecutionId: `.*`|pipelineName: `another team`) does not match ",
    # An event without a job of CodePipeline's: its refusal ends the invocation, and is not repeated.
    "codepipeline:PutJobFailureResult": r"jobId: `x` does not match ",
}

# Values outside the model that AWS takes: a protocol that is neither counts as tcp
# (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html).
TAKEN = [r"\.portMappings\[\d+\]\.protocol: `.*` is not one of tcp, udp$"]

# Which members of a task definition the functions leave out when they are empty.
LEFT_OUT = ROOT / "shared/src/task_definition/refused.rs"

# With these errors a request may be refused on purpose: a wrong one, and any whose caller is not known or denied, or that
# meets throttling or a failure of the service.
REFUSALS = {
    "ValidationException", "AccessDeniedException", "ExpiredTokenException", "InvalidSignatureException",
    "UnrecognizedClientException", "ThrottlingException", "InternalFailure",
}

# Error codes of an operation that does not exist or is not served by the sandbox.
UNKNOWN = {"UnknownOperationException", "InvalidAction", "NotImplemented"}


def used_services():
    """The services for which the workspace has an SDK crate."""
    dependencies = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["dependencies"]
    crates = [name.removeprefix("aws-sdk-") for name in dependencies if name.startswith("aws-sdk-")]
    return {CRATES.get(name, name) for name in crates}


# Lines that a process checks at a time: enough that passing them on costs little.
BATCH = 200

# Loading a model takes longer than hundreds of checks.
service_of = cache(Service)


class Checks:
    """The checked operations, and the failures."""

    def __init__(self):
        self.failures, self.seen, self.passed = Counter(), Counter(), 0

    def add(self, other):
        self.failures += other.failures
        self.seen += other.seen
        self.passed += other.passed

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
        service = service_of(name)
        operation = service.operation(word)
        if operation is None:
            return self.took(name, word, error, ["is not an operation of the service"])
        problems = [f"answer: {problem}" for problem in service.answer_problems(operation, call["answer"], error)]
        # A test's own requests have no header of the SDK; an operator's request is checked if it succeeded.
        by_sdk = "amz-sdk-request" in call["request"]["headers"]
        if by_sdk and (error is None or call["caller"].startswith("slipway-")):
            known = REFUSED_ON_PURPOSE.get(f"{name}:{word}", "(?!)") if error in REFUSALS else "(?!)"
            wrong = [problem for problem in service.request_problems(operation, call["request"]) if not re.match(known, problem)]
            problems += [f"request: {problem}" for problem in wrong]
        self.took(name, word, error, problems)

    def operation(self, record):
        """An operation that was called in the process, without HTTP."""
        name, word, error = record["service"], record["operation"], record["error"]
        if error in UNKNOWN:
            return
        service = service_of(name)
        operation = service.operation(word)
        if operation is None:
            return self.took(name, word, error, ["is not an operation of the service"])
        if error is not None:
            known = service.errors(operation)
            return self.took(name, word, error, [] if error in known else [f"answer: {error} is not one of its errors"])
        problems = []
        if operation.output_shape is not None:
            output = {} if record["output"] is None else record["output"]
            problems = [f"answer: {problem}" for problem in Strict(wire=True, allowed=ANSWERED).problems(output, operation.output_shape)]
        given = without_nulls(record["input"])
        problems += [f"taken: {problem}" for problem in Strict(wire=True, allowed=TAKEN).problems(given, operation.input_shape)]
        self.took(name, word, error, problems)


def enumerations(shape, place=()):
    """The paths to the members of a shape whose type is an enumeration. A list stands for its items."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from enumerations(member, (*place, name))
    elif shape.type_name == "list":
        yield from enumerations(shape.member, place)
    elif getattr(shape, "enum", []):
        yield place


def sent_empty():
    """The enumerations of a task definition that the functions would send as empty texts, which ECS refuses."""
    text = LEFT_OUT.read_text().split("const REFUSED_EMPTY", 1)[1].split("\n];", 1)[0]
    left_out = {tuple(re.findall(r'"(\w+)"', path)) for path in re.findall(r"&\[([^\[\]]*)\]", text)}
    shape = Service("ecs").operation("RegisterTaskDefinition").input_shape
    return [".".join(path) for path in enumerations(shape) if path not in left_out]


def checked(batch):
    checks = Checks()
    for record in map(json.loads, batch):
        if record["kind"] == "call":
            checks.call(record)
        else:
            checks.operation(record)
    return checks


def check(folder):
    """Checks on all cores; the results are added in the order of the lines."""
    checks, remaining = Checks(), lines(folder, "call", "operation")
    with Pool() as pool:
        for part in pool.imap(checked, iter(lambda: list(islice(remaining, BATCH)), [])):
            checks.add(part)
    for path in sent_empty():
        checks.failures[f"ecs:RegisterTaskDefinition {path} is an enumeration and sent when it is empty"] += 1
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
