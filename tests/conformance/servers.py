"""Third-party emulators, started on loopback with the fixture that `answers` reads."""

import contextlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

HERE = Path(__file__).resolve().parent
REGION = "eu-west-1"
ACCOUNT = "111122223333"
BUCKET = "artifacts"
SECONDS = 60

# Not secrets: these are the keys of AWS's documentation.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCOUNT,
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def moto(port):
    return ["moto_server", "-H", "127.0.0.1", "-p", str(port)], {"MOTO_ACCOUNT_ID": ACCOUNT}


def ministack(port):
    return ["ministack"], {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "MINISTACK_ACCOUNT_ID": ACCOUNT}


SERVERS = {"moto": moto, "ministack": ministack}


def sandbox(program):
    return lambda port: ([program, "serve", "--empty", "--port", str(port)], {})


@contextlib.contextmanager
def server(name):
    """The URL of a fresh emulator with the fixture."""
    with started(SERVERS[name]) as url:
        furnish(url)
        yield url


@contextlib.contextmanager
def started(command):
    """The URL of a fresh emulator that is empty."""
    port = free_port()
    (program, *arguments), environment = command(port)
    program = Path(sys.executable).parent / program
    log = open(os.devnull, "w")
    process = subprocess.Popen([program, *arguments], env={**os.environ, **CREDENTIALS, **environment}, stdout=log, stderr=log)
    try:
        await_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def await_port(port, process):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {port} after {SECONDS} s, or the server ended ({process.poll()})")


def client(service, url):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 2}, read_timeout=20, s3={"addressing_style": "path"}),
    )


def furnish(url):
    for service, operation, given in json.loads((HERE / "fixture.json").read_text()):
        getattr(client(service, url), re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower())(**given)
    s3 = client("s3", url)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="config.zip", Body=archive())


def archive():
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as config:
        config.writestr("taskdef.json", '{"family": "web"}')
    return body.getvalue()
