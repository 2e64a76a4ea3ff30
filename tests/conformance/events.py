"""Compares the events that the sandbox emits with events that AWS publishes as examples: the same keys, and at each the same
JSON type.

The examples are those of SLIPWAY_CORPUS (events/ in each of its folders, which colons separate); without it, the project's own
in tests/events.

usage: events.py <folder of a run with SLIPWAY_RECORD>
"""

import json
import os
import sys
from collections import Counter, defaultdict
from pathlib import Path

from record import records

ROOT = Path(__file__).resolve().parents[2]
JOB = "CodePipeline.job"

# Kinds of events that a run must have emitted.
EXPECTED = {
    JOB,
    "CodePipeline Action Execution State Change",
    "CodePipeline Pipeline Execution State Change",
    "CodePipeline Stage Execution State Change",
    "ECR Image Action",
    "ECS Deployment State Change",
    "Scheduled Event",
}

# Documented members that not every set of examples has, by kind: an example.
ARTIFACT = {"name": "a", "s3location": {"bucket": "b", "key": "k"}}
TIMES = {"start-time": "2026-01-05T09:00:00Z", "pipeline-execution-attempt": 1}
DOCUMENTED = {
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
    "CodePipeline Pipeline Execution State Change": {
        "detail": {
            **TIMES,
            "execution-trigger": {"trigger-type": "StartPipelineExecution", "trigger-detail": "arn:aws:sts::1:assumed-role/a/b"},
            "stop-execution-comments": "Stopping the pipeline for an update",
        }
    },
    "CodePipeline Stage Execution State Change": {"detail": TIMES},
    "CodePipeline Action Execution State Change": {
        "detail": {
            **TIMES,
            "action-execution-id": "0b1c",
            "input-artifacts": [ARTIFACT],
            "output-artifacts": [ARTIFACT],
            "execution-result": {
                "external-execution-url": "https://example.com/1",
                "external-execution-id": "1",
                "external-execution-summary": "failed",
                "error-code": "JobFailed",
            },
        }
    },
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html (the events of the archive have them)
    "ECR Image Action": {
        "detail": {
            "manifest-media-type": "application/vnd.oci.image.manifest.v1+json",
            "artifact-media-type": "application/vnd.oci.image.config.v1+json",
            "target-storage-class": "ARCHIVE",
        }
    },
    # https://docs.aws.amazon.com/lambda/latest/dg/services-codepipeline.html
    JOB: {
        JOB: {
            "data": {
                "inputArtifacts": [
                    {"name": "a", "revision": revision, "location": {"type": "S3", "s3Location": {"bucketName": "b", "objectKey": "k"}}}
                    for revision in ("1", None)
                ],
                "artifactCredentials": {"expirationTime": 1767607270447},
                "continuationToken": "one",
            }
        }
    },
    # https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-scheduled-events.html
    "Scheduled Event": {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "111122223333",
        "time": "2026-01-05T09:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:111122223333:rule/sweep"],
        "detail": {},
    },
    # https://docs.aws.amazon.com/inspector/latest/user/eventbridge-integration.html
    "Inspector2 Scan": {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Inspector2 Scan",
        "source": "aws.inspector2",
        "account": "111122223333",
        "time": "2026-01-05T09:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:ecr:eu-west-1:111122223333:repository/web"],
        "detail": {
            "scan-status": "INITIAL_SCAN_COMPLETE",
            "repository-name": "arn:aws:ecr:eu-west-1:111122223333:repository/web",
            "finding-severity-counts": {"CRITICAL": 7, "HIGH": 61, "MEDIUM": 62, "TOTAL": 158},
            "image-digest": "sha256:00",
            "image-tags": ["latest"],
        },
    },
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-resource-status-change.html
    "CloudFormation Resource Status Change": {
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "CloudFormation Resource Status Change",
        "source": "aws.cloudformation",
        "account": "111122223333",
        "time": "2026-01-05T09:00:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:cloudformation:eu-west-1:111122223333:stack/web/0b1c"],
        "detail": {
            "stack-id": "arn:aws:cloudformation:eu-west-1:111122223333:stack/web/0b1c",
            "logical-resource-id": "Service",
            "physical-resource-id": "arn:aws:ecs:eu-west-1:111122223333:service/main/web",
            "status-details": {"status": "UPDATE_COMPLETE", "status-reason": ""},
            "resource-type": "AWS::ECS::Service",
            "client-request-token": "",
        },
    },
}

# Kinds of which the example above is whole.
WHOLE = {"Scheduled Event", "CloudFormation Resource Status Change", "Inspector2 Scan"}

# Members that an event may lack, though each of a few examples has them: an image is archived by its digest.
OPTIONAL = {"detail.image-tag"}

# The manifests without a config, whose type stands for that of the artifact in the events of images: no example is of one.
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")

# Members with names of the user's choice, and counts of what was found: what is below them is not compared.
FREE = {f"{JOB}.data.actionConfiguration.configuration", "detail.finding-severity-counts"}


def type_of(value):
    for python, word in ((bool, "boolean"), ((int, float), "number"), (str, "string"), (list, "array"), (dict, "object")):
        if isinstance(value, python):
            return word
    return "null"


def paths(value, prefix=""):
    """Every path of a value with its type; the items of an array share a path."""
    yield prefix, type_of(value)
    if isinstance(value, dict) and prefix not in FREE:
        for key, member in value.items():
            yield from paths(member, f"{prefix}.{key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, f"{prefix}[]")


def optional(event):
    """The members that an event may lack."""
    is_index = (event.get("detail") or {}).get("manifest-media-type") in INDEXES
    return OPTIONAL | {"detail.artifact-media-type"} if is_index else OPTIONAL


class Examples:
    """The examples of a kind of event: what any of them has, and what all have."""

    def __init__(self, examples, documented=None):
        self.known = defaultdict(set)
        for example in [*examples, documented or {}]:
            for path, kind in paths(example):
                self.known[path].add(kind)
        self.common = set.intersection(*({path for path, _ in paths(example)} for example in examples))

    def differences(self, event):
        """Keys and types of an event that no example has, and keys that all have and it lacks."""
        own = dict(paths(event))
        for path, kind in own.items():
            if path not in self.known:
                yield f"{path}: AWS has no such key"
            elif kind not in self.known[path]:
                yield f"{path}: {kind}, where AWS has {' or '.join(sorted(self.known[path]))}"
        for path in sorted(self.common - set(own) - optional(event)):
            parent = path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]
            # An array may be empty; then nothing of its items is missing.
            if not path.endswith("[]") and (parent in own or not parent) and not any(part in FREE for part in (path, parent)):
                yield f"{path}: every event of AWS has it"


def kind_of(event):
    return JOB if JOB in event else event.get("detail-type")


def envelope(event):
    """An event in EventBridge's form: some examples are in the form of a notification rule."""
    if "detailType" not in event:
        return event
    event = dict(event, **{"detail-type": event["detailType"], "version": "0", "id": "not in this form"})
    return {key: value for key, value in event.items() if key not in ("detailType", "notificationRuleArn", "additionalAttributes")}


def corpus():
    """Examples by kind, and their source."""
    corpus = os.environ.get("SLIPWAY_CORPUS")
    folders = [Path(root) / "events" for root in corpus.split(os.pathsep)] if corpus else [ROOT / "tests/events"]
    examples = defaultdict(list)
    for path in sorted(path for folder in folders for path in folder.glob("*.json")):
        try:
            event = json.loads(path.read_text("utf-8-sig"))
        except ValueError:
            continue  # Some examples of documentation are not JSON.
        for event in event if isinstance(event, list) else [event]:
            event = envelope(event.get("event", event))
            if kind_of(event):
                examples[kind_of(event)].append(event)
    return folders, examples


def main():
    folders, examples = corpus()
    emitted = defaultdict(list)
    for found in records(Path(sys.argv[1]), "event", "invocation"):
        if found["kind"] == "event":
            # AWS publishes the shape of its own events only; Slipway puts notices on the bus beside them.
            if found["event"]["source"].startswith("aws."):
                emitted[kind_of(found["event"])].append(found["event"])
            continue
        payload = found["payload"]
        data = payload.get(JOB, {}).get("data") if isinstance(payload, dict) else None
        # Unit tests of Lambda invoke with minimal payloads, and poll-jobs adds the type of an action.
        if data and "actionTypeId" not in data:
            emitted[JOB].append(payload)
    failures, passed = Counter(), 0
    for kind, events in sorted(emitted.items()):
        documented = DOCUMENTED.get(kind)
        known = examples[kind] or ([documented] if kind in WHOLE else [])
        print(f"{len(events):7} {kind}, compared with {len(known)} examples of {', '.join(map(str, folders))}")
        compared = Examples(known, documented) if known else None
        for event in events if compared else []:
            found = list(compared.differences(event))
            failures.update(f"{kind}: {difference}" for difference in found)
            passed += not found
        if not known and "SLIPWAY_CORPUS" in os.environ:
            failures[f"{kind}: AWS publishes no such event"] += 1
    for kind in EXPECTED - set(emitted):
        failures[f"{kind}: none was emitted"] += 1
    for failure, count in failures.most_common():
        print(f"failed {count} times: {failure}")
    print(f"events: {passed} passed, {sum(failures.values())} failed")
    return 1 if failures or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
