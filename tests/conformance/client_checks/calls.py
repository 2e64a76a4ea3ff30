"""Calls of the AWS CLI and boto3, and the errors with which they must end."""

import json
import subprocess

import boto3
import botocore.exceptions
from botocore.config import Config

from client_checks import server


def client(service, url=None, region="eu-west-1"):
    return boto3.client(service, endpoint_url=url or server.SERVER.url, region_name=region, aws_access_key_id="any",
                        aws_secret_access_key="any", config=Config(retries={"max_attempts": 2}))


def cli(*arguments):
    """The JSON output of the AWS CLI."""
    done = subprocess.run(["aws", *arguments, "--output", "json"], env=server.SERVER.environment(), capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr.strip()
    return json.loads(done.stdout) if done.stdout.strip() else None


def cli_error(*arguments):
    done = subprocess.run(["aws", *arguments], env=server.SERVER.environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode != 0, done.stdout
    return done.stderr.strip()


def run(*command, more={}, cwd=None):
    """A command's end, successful or not, with both of its outputs."""
    return subprocess.run(command, env={**server.SERVER.environment(), **more}, cwd=cwd, capture_output=True, text=True,
                          timeout=120)


def error(code, call, /, **arguments):
    """The message of the error with which a call must end."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as refused:
        assert refused.response["Error"]["Code"] == code, refused.response["Error"]
        return refused.response["Error"]["Message"]
    raise AssertionError(f"expected {code}, found a success")


def modelled(service, name, call, /, **arguments):
    """A call must end with an exception class of the service's own model."""
    try:
        call(**arguments)
    except getattr(service.exceptions, name):
        return
    raise AssertionError(f"expected {name}, found a success")


def all_pages(service, operation, member, size, /, **arguments):
    """All items of a paginator; with a page size, if the operation takes one, it must find the same."""
    paginator = service.get_paginator(operation)
    config = {"PageSize": size} if size else {}
    one = list(paginator.paginate(**arguments, PaginationConfig=config).search(member))
    once = list(paginator.paginate(**arguments).search(member))
    assert one == once, f"{operation}: {len(one)} by pages of {size}, {len(once)} at once"
    return once
