"""Tests of the checks: each kind of mistake in a recorded call is found."""

import copy
import json
import unittest

from events import Examples
from models import Checks
from writers import counted, lost_races


def call(service, operation, target, body, answer, status=200, error=None):
    headers = {"amz-sdk-request": "attempt=1; max=4", "x-amz-target": f"{target}.{operation}", "content-type": "application/x-amz-json-1.1"}
    return {
        "service": service,
        "operation": operation,
        "error": error,
        "caller": "slipway-update-service",
        "request": {"method": "POST", "host": "", "target": "/", "headers": headers, "body": json.dumps(body)},
        "answer": {"status": status, "headers": {"x-amzn-requestid": "1"}, "body": json.dumps(answer)},
    }


def found(call, change):
    call = copy.deepcopy(call)
    body, answer = json.loads(call["request"]["body"]), json.loads(call["answer"]["body"])
    change(call, body, answer)
    call["request"]["body"], call["answer"]["body"] = json.dumps(body), json.dumps(answer)
    checks = Checks()
    checks.call(call)
    return "\n".join(checks.failures)


FAIL = call(
    "codepipeline",
    "PutJobFailureResult",
    "CodePipeline_20150709",
    {"jobId": "9c76fecc-ba5d-4bc2-89ce-44592f27da13", "failureDetails": {"type": "JobFailed", "message": "unhealthy"}},
    {},
)
UPDATE = call(
    "ecs",
    "UpdateService",
    "AmazonEC2ContainerServiceV20141113",
    {"cluster": "apps", "service": "web", "desiredCount": 2},
    {"service": {"serviceName": "web", "launchType": "FARGATE", "createdAt": 1767603600.5, "deployments": []}},
)
GONE = call(
    "ecs",
    "UpdateService",
    "AmazonEC2ContainerServiceV20141113",
    {"service": "web"},
    {"__type": "com.amazonaws.ecs#ServiceNotFoundException", "message": "Service not found."},
    400,
    "ServiceNotFoundException",
)
HEALTH = {
    "service": "elasticloadbalancing",
    "operation": "DescribeTargetHealth",
    "error": None,
    "caller": "slipway-update-service",
    "request": {"headers": {"amz-sdk-request": "attempt=1; max=4"}, "body": "Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=a&Targets.member.1.Id=i-1"},
    "answer": {
        "status": 200,
        "headers": {},
        "body": "<DescribeTargetHealthResponse><DescribeTargetHealthResult><TargetHealthDescriptions><member><TargetHealth>"
        "<State>healthy</State></TargetHealth></member></TargetHealthDescriptions></DescribeTargetHealthResult>"
        "</DescribeTargetHealthResponse>",
    },
}

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
RECORDS = {
    "service": "route53",
    "operation": "ChangeResourceRecordSets",
    "error": None,
    "caller": "slipway-update-service",
    "request": {
        "method": "POST", "host": "", "target": "/2013-04-01/hostedzone/Z1/rrset/", "headers": {"amz-sdk-request": "attempt=1; max=4"},
        "body": f'<ChangeResourceRecordSetsRequest xmlns="{NAMESPACE}"><ChangeBatch><Changes><Change><Action>UPSERT</Action>'
        "<ResourceRecordSet><Name>a.example.com</Name><Type>A</Type><SetIdentifier>blue</SetIdentifier><Weight>255</Weight>"
        "<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>b.example.com</DNSName><EvaluateTargetHealth>true"
        "</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>",
    },
    "answer": {
        "status": 200,
        "headers": {},
        "body": f'<ChangeResourceRecordSetsResponse xmlns="{NAMESPACE}"><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status>'
        "<SubmittedAt>2026-01-05T09:00:00Z</SubmittedAt></ChangeInfo></ChangeResourceRecordSetsResponse>",
    },
}
UNREADABLE = {
    "Z1/rrset/": "Z1/none/",
    "<Weight>255</Weight>": "<Weight>256</Weight>",
    "<Action>UPSERT</Action>": "<Action>MOVE</Action>",
    "<Type>A</Type>": "<Type>A</Type><Kind>A</Kind>",
    "<Name>a.example.com</Name>": "",
}


class Calls(unittest.TestCase):
    def test_what_is_right_passes(self):
        for right in (FAIL, UPDATE, GONE):
            self.assertEqual(found(right, lambda call, body, answer: None), "")
        checks = Checks()
        checks.call(HEALTH)
        self.assertEqual((checks.passed, checks.failures), (1, {}))

    def test_documents(self):
        checks = Checks()
        checks.call(RECORDS)
        self.assertEqual((checks.passed, checks.failures), (1, {}))
        for right, wrong in UNREADABLE.items():
            checks = Checks()
            checks.call(json.loads(json.dumps(RECORDS).replace(right, wrong)))
            self.assertIn("request: ", "\n".join(checks.failures), wrong)

    def test_requests(self):
        mistakes = {
            "Missing required": lambda call, body, answer: body.pop("jobId"),
            "Unknown parameter": lambda call, body, answer: body.update(jobID="x"),
            "is not one of": lambda call, body, answer: body["failureDetails"].update(type="Failed"),
            "length 5001, at most 5000": lambda call, body, answer: body["failureDetails"].update(message="x" * 5001),
            "valid min length": lambda call, body, answer: body["failureDetails"].update(message=""),
            "does not match": lambda call, body, answer: body.update(jobId="not an id"),
            "Invalid type": lambda call, body, answer: body.update(jobId=7),
            "x-amz-target": lambda call, body, answer: call["request"]["headers"].update({"x-amz-target": "ECS.Put"}),
        }
        for expected, mistake in mistakes.items():
            self.assertIn(expected, found(FAIL, mistake))

    def test_answers(self):
        mistakes = {
            "Unknown parameter": lambda call, body, answer: answer["service"].update(name="web"),
            "is not one of": lambda call, body, answer: answer["service"].update(launchType="LAMBDA"),
            "is not a timestamp": lambda call, body, answer: answer["service"].update(createdAt="2026-01-05T09:00:00Z"),
            "Invalid type": lambda call, body, answer: answer["service"].update(deployments={}),
            "null instead of nothing": lambda call, body, answer: answer["service"].update(deployments=None),
        }
        for expected, mistake in mistakes.items():
            self.assertIn(expected, found(UPDATE, mistake))

    def test_errors(self):
        strange = lambda call, body, answer: (call.update(error="NoSuchService"), answer.update(__type="NoSuchService"))
        self.assertIn("not an error of UpdateService", found(GONE, strange))
        other = lambda call, body, answer: answer.update(__type="ClientException")
        self.assertIn("the response has ClientException", found(GONE, other))

    def test_query_and_xml(self):
        for old, new, expected in [
            ("TargetGroupArn=a", "TargetGroup=a", "Missing required"),
            ("Targets.member.1.Id", "Targets.member.1.Key", "no member of"),
            ("<State>healthy", "<State>fine", "is not one of"),
            ("<State>healthy</State>", "<Status>healthy</Status>", "no member of"),
        ]:
            wrong = json.loads(json.dumps(HEALTH).replace(old, new))
            checks = Checks()
            checks.call(wrong)
            self.assertIn(expected, "\n".join(checks.failures))

    def test_operations_in_the_process(self):
        checks = Checks()
        checks.operation({"service": "ecr", "operation": "ListImages", "input": {}, "output": {"imageIds": []}, "error": None})
        self.assertIn("taken: Missing required", "\n".join(checks.failures))


class Events(unittest.TestCase):
    def test_events(self):
        example = {"source": "aws.ecr", "detail": {"tag": "1", "size": 1}}
        for detail, expected in [
            ({"tag": "2", "size": 7.5}, []),
            ({"tag": 2, "size": 7}, ["detail.tag: number, where AWS has string"]),
            ({"tag": "2", "size": 7, "name": "web"}, ["detail.name: AWS has no such key"]),
            ({"tag": "2"}, ["detail.size: every event of AWS has it"]),
        ]:
            event = {"source": "aws.ecr", "detail": detail}
            self.assertEqual(list(Examples([example]).differences(event)), expected)


class Writers(unittest.TestCase):
    def test_a_race_that_two_writers_win_is_found(self):
        won, lost = {"ok": {}}, {"code": "ConditionalCheckFailedException", "item": None, "reasons": []}
        one, two = counted([won, lost]), counted([won, won])
        self.assertEqual(one, {"winners": 1, "codes": ["ConditionalCheckFailedException"]})
        self.assertEqual(lost_races({"one": one, "none": {"ok": {}}}), [])
        self.assertEqual(len(lost_races({"one": one, "two": two})), 1)

    def test_a_conflict_of_transactions_is_a_lost_race(self):
        reasons = [{"code": "TransactionConflict", "item": None}, {"code": "None", "item": None}]
        canceled = {"code": "TransactionCanceledException", "item": None, "reasons": reasons}
        self.assertEqual(counted([canceled, {"ok": {}}])["codes"], ["TransactionCanceledException"])


if __name__ == "__main__":
    unittest.main()
