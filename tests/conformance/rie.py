"""Runs the Lambdas as shipped: each release binary under AWS's runtime interface emulator, with the events of tests/events.

Each function calls the endpoint in AWS_ENDPOINT_URL, once for each of two: ministack with the fixture, which has no
CodePipeline jobs, and `cargo sandbox serve` with the demo's account. An event passes if the function handles it. With
ministack it may also fail with the AWS operation that failed, after which Lambda would deliver the event again. An event
fails if the process ends, the response is not JSON, or the time is up.

usage: rie.py <folder of the binaries> <aws-lambda-rie> <the program `sandbox`>
"""

import contextlib
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 60
# The beginning of a function's error message when an AWS call failed.
REFUSED = re.compile(r"(application-autoscaling|cloudwatch|codepipeline|dynamodb|ecr|ecs|elasticloadbalancing|events|lambda|route53|s3):\w+ failed: ")
# The steps that begin and finish the release of the events; the others come between them, in any order.
BEGIN, FINISH = "BeginReleaseFunction", "FinishReleaseFunction"
# The push is last, because the execution that it starts waits for the release.
LAST = "StartPipelineFunction"
# Steps for another service than that of this release fail, because no release of it began.
NOT_BEGUN = "in cluster apps; run begin-release before this action"
# CodePipeline does not know the execution of these events. When a sweep comes in between, it takes the release for one of a
# pipeline that was deleted, and rolls it back.
SWEPT = "the release is being rolled back; start again with a new execution"
CASES = ["push", "job", "job-with-token", "execution-failed", "sweep", "action-started", "poll", "create", "changes", "approval-started", "parameters"]


def binaries():
    """The binary of each function of template.yaml, by logical id."""
    text = (ROOT / "template.yaml").read_text()
    return dict(re.findall(r"^  (\w+):\n    Type: AWS::Serverless::Function\n(?:    .*\n)*?        Binary: ([\w-]+)$", text, re.M))


def events(logical_id):
    paths = sorted((ROOT / "tests/events").glob(f"{logical_id}.*.json"))
    # A job comes before the job with its token, and an operator's invocation after both.
    return sorted(paths, key=lambda path: CASES.index(path.name.split(".")[1]))


def turn(logical_id):
    """When a function gets its events, wherever the template has it: steps before the other functions."""
    if logical_id in (BEGIN, FINISH, LAST):
        return {BEGIN: 0, FINISH: 2, LAST: 4}[logical_id]
    is_step = any(path.name.split(".")[1] == "job" for path in events(logical_id))
    return 1 if is_step else 3


def service(path):
    """The service that an operator's invocation is for; None for another event."""
    return json.loads(path.read_text()).get("parameters", {}).get("service")


def is_for_another_release(path):
    return service(path) not in (None, service(ROOT / f"tests/events/{BEGIN}.parameters.json"))


def peak_kib(process):
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) if found else 0


def environment(bootstrap, url, table):
    return {
        **servers.CREDENTIALS,
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": url,
        "LEDGER_TABLE": table,
        "RUST_LOG": "info",
        "AWS_LAMBDA_FUNCTION_NAME": f"slipway-{bootstrap.name}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }


def init_ms(bootstrap):
    """The time from a function's start to its request for the first event: the best of five, in milliseconds."""
    return min(one_init_ms(bootstrap) for _ in range(5))


def one_init_ms(bootstrap):
    # The emulator starts a function with its first event, so its own figure is not usable.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = f"127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(ANSWER_SECONDS)
        began = time.monotonic()
        variables = {**environment(bootstrap, "http://127.0.0.1:9", "none"), "AWS_LAMBDA_RUNTIME_API": api}
        process = subprocess.Popen([bootstrap], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            listener.accept()[0].recv(1)
            return (time.monotonic() - began) * 1000
        finally:
            process.kill()
            process.wait()


def fresh(event, url):
    """The event with a token of the current time: a release as old as the file has missed its deadline. A response goes to the
    endpoint, which does not know its URL."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = re.sub(r"https://cloudformation-custom-resource-response-[^/]+", url, event)
    return re.sub(r'(\\"since\\":\\")[^\\]+', lambda found: found[1] + now, event)


class Emulator:
    """The runtime interface emulator with one function."""

    def __init__(self, program, bootstrap, variables):
        self.invoke_port, api_port = servers.free_port(), servers.free_port()
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self.invoke_port}", "--runtime-api-address", f"127.0.0.1:{api_port}"]
        self.log = open(ROOT / f"target/rie-{bootstrap.name}.log", "w+")
        self.process = subprocess.Popen(
            [program, *addresses, bootstrap], env=variables, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )
        servers.await_port(self.invoke_port, self.process)

    def invoke(self, event):
        """The response, and its duration in milliseconds."""
        url = f"http://127.0.0.1:{self.invoke_port}/2015-03-31/functions/function/invocations"
        began = time.monotonic()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=event, method="POST"), timeout=ANSWER_SECONDS) as reply:
                body = reply.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        return body.decode(), (time.monotonic() - began) * 1000

    def peak_kib(self):
        """The function's peak memory; None if its process has ended."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        return max((peak_kib(child) for child in children), default=None)

    def close(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.log.close()


def lenient(path, answer):
    """The problem of a response, if AWS calls may fail."""
    if not isinstance(answer, dict) or "errorType" not in answer:
        return None
    message = answer.get("errorMessage", "")
    return None if REFUSED.search(message) else f"{answer['errorType']}: {message[:300]}"


def strict(path, answer):
    """The problem of a response, if all AWS calls must succeed."""
    if path.name.startswith("FindTaskRoles"):
        return lenient(path, answer)
    if ".job" in path.name:
        return None if answer is None else "a job is reported to CodePipeline, not returned to Lambda"
    if is_for_another_release(path) and NOT_BEGUN in (answer or {}).get("message", ""):
        return None
    if isinstance(answer, dict) and answer.get("message") == SWEPT:
        return None
    if not isinstance(answer, dict) or "errorType" in answer or answer.get("status") == "failed":
        return json.dumps(answer)[:300]
    return None


@contextlib.contextmanager
def ministack(_):
    with servers.server("ministack") as url:
        yield url, "ledger", lenient


@contextlib.contextmanager
def sandbox(program):
    port = servers.free_port()
    with open(ROOT / "target/rie-serve.log", "w") as log:
        process = subprocess.Popen([program, "serve", "--port", str(port)], cwd=ROOT, stdout=log, stderr=log)
        try:
            servers.await_port(port, process)
            url = f"http://127.0.0.1:{port}"
            stack = servers.client("cloudformation", url).describe_stack_resources(StackName="slipway", LogicalResourceId="LedgerTable")
            push_image(url)
            yield url, stack["StackResources"][0]["PhysicalResourceId"], strict
        finally:
            process.terminate()
            process.wait(10)


def push_image(url):
    """Pushes the image of the events to its repository, without a tag, so that no pipeline starts."""
    blob = lambda what: "sha256:" + hashlib.sha256(f"{what} of web:1.0.0, Healthy".encode()).hexdigest()
    docker = "application/vnd.docker"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{docker}.distribution.manifest.v2+json",
        "config": {"mediaType": f"{docker}.container.image.v1+json", "size": 7023, "digest": blob("config")},
        "layers": [{"mediaType": f"{docker}.image.rootfs.diff.tar.gzip", "size": 32654, "digest": blob("layer")}],
    }
    text = json.dumps(manifest, separators=(",", ":"))
    put = servers.client("ecr", url).put_image(repositoryName="web", imageManifest=text)
    digest = put["image"]["imageId"]["imageDigest"]
    if digest not in (ROOT / "tests/events/StartPipelineFunction.push.json").read_text():
        raise SystemExit(f"tests/events name another digest than {digest}")


def run(function, program, bootstrap, url, table, verdict):
    """Sends a function its events; returns the number that passed and the failures."""
    emulator = Emulator(program, bootstrap, environment(bootstrap, url, table))
    passed, failures = 0, []
    try:
        for path in events(function):
            # The deploy role of a push is of no stack here, and the credentials of this run may do all.
            event = re.sub(r',\s*"deploy_role": "[^"]*"', "", path.read_text())
            text, took = emulator.invoke(fresh(event, url).encode())
            try:
                wrong = verdict(path, json.loads(text))
            except ValueError:
                wrong = f"no JSON: {text[:200]}"
            print(f"{'failed' if wrong else 'passed'} {path.name} in {took:.0f} ms: {text[:160]}")
            passed += not wrong
            failures += [f"{path.name}: {wrong}"] if wrong else []
        peak = emulator.peak_kib()
        if peak is None:
            failures.append(f"{bootstrap.name}: its process has ended")
        size = bootstrap.stat().st_size / 2**20
        print(f"       {bootstrap.name}: {size:.1f} MiB, init {init_ms(bootstrap):.0f} ms, at most {(peak or 0) / 1024:.1f} MiB of memory")
    finally:
        emulator.close()
    return passed, failures


def main():
    folder, program, sandbox_program = (Path(argument).resolve() for argument in sys.argv[1:4])
    functions = binaries()
    passed, failures = 0, []
    for endpoint in (ministack, sandbox):
        with endpoint(sandbox_program) as (url, table, verdict):
            print(f"-- at {endpoint.__name__}")
            for function in sorted(functions, key=turn):
                more, wrong = run(function, program, folder / functions[function], url, table, verdict)
                passed += more
                failures += [f"at {endpoint.__name__}: {line}" for line in wrong]
    for failure in failures:
        print(f"failed: {failure}")
    print(f"rie: {passed} passed, {len(failures)} failed")
    return 1 if failures or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
