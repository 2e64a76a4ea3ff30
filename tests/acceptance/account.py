"""The account under test: its clients, and how long to wait in it.

`cargo sandbox serve` lets time pass faster, so there a look is repeated sooner. Both kinds of
account get the same number of looks.
"""

import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Seconds between two looks.
POLL, SANDBOX_POLL = 10, 0.5

class Failed(Exception):
    """An expectation that was not met."""


class OnlyInAccount(Exception):
    """What a sandbox lacks to answer a question."""


def expect(condition, found):
    if not condition:
        raise Failed(str(found))


class Account:
    """`endpoint` is the URL of a sandbox, or None for AWS itself."""

    def __init__(self, endpoint, region):
        self.endpoint = endpoint
        self.is_sandbox = endpoint is not None
        self.pace = SANDBOX_POLL / POLL if self.is_sandbox else 1
        self.session = boto3.session.Session(region_name=region)
        self.region = self.session.region_name
        if not self.region:
            raise SystemExit("no region: give --region or set AWS_DEFAULT_REGION")
        self.clients = {}
        caller = self.client("sts").get_caller_identity()
        self.id, self.caller = caller["Account"], caller["Arn"]
        self.partition = self.caller.split(":")[1]

    def client(self, service):
        if service not in self.clients:
            retries = Config(retries={"mode": "standard", "max_attempts": 8})
            self.clients[service] = self.session.client(
                service, endpoint_url=self.endpoint, config=retries)
        return self.clients[service]

    def pause(self, seconds):
        time.sleep(seconds * self.pace)

    def arn(self, service, resource):
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"

    def client_of(self, credentials, service):
        """A client of a session of another role."""
        return boto3.client(
            service, region_name=self.region, endpoint_url=self.endpoint,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"])

    def wait(self, what, minutes, look, poll=POLL):
        """The first result of `look` that is true."""
        for _ in range(minutes * 60 // poll):
            found = look()
            if found:
                return found
            self.pause(poll)
        raise Failed(f"{what} did not happen within {minutes} minutes")


def is_missing(error):
    """Whether an error of AWS means that the resource is not there."""
    code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
    return any(word in code for word in ("NotFound", "NoSuch")) or "does not exist" in message


def unless_missing(call, **arguments):
    """What a call returns, or None if the resource is not there."""
    try:
        return call(**arguments)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
