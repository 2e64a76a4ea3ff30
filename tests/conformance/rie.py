"""Runs the Lambdas as they ship: each release binary under AWS's runtime interface emulator, with the events of tests/events.

The functions talk to a server that AWS_ENDPOINT_URL names: `cargo sandbox serve`, if SANDBOX_BIN names its program, otherwise
ministack with the fixture, which knows nothing of CodePipeline's jobs. So an event passes when the function answers it, or says in
one sentence which operation of AWS it could not do, which makes Lambda deliver the event again. It fails when the process
ends, the answer is no JSON, or the time is up.

usage: rie.py <folder of the binaries> <aws-lambda-rie>
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import servers

ROOT = Path(__file__).resolve().parents[2]
ANSWER_SECONDS = 60
# What a function says when AWS did not do what it asked, as its error's text begins.
REFUSED = re.compile(r"(codepipeline|dynamodb|ecr|ecs|elasticloadbalancing|s3):\w+ failed: ")
# The steps of a release come in this order.
ORDER = ["StartPipeline", "BeginRelease", "RegisterTaskDefinition", "UpdateService", "FinishRelease", "RollBack"]


def binaries():
    """The binary of each function of template.yaml, by logical id."""
    text = (ROOT / "template.yaml").read_text()
    return dict(re.findall(r"^  (\w+):\n    Type: AWS::Serverless::Function\n(?:    .*\n)*?        Binary: ([\w-]+)$", text, re.M))


def events(logical_id):
    paths = sorted((ROOT / "tests/events").glob(f"{logical_id}.*.json"))
    # A job comes before the job that carries its token, and a person after both.
    return sorted(paths, key=lambda path: ["push", "job", "job-with-token", "execution-failed", "sweep", "parameters"].index(path.name.split(".")[1]))


def peak_kib(process):
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) if found else 0


def environment(bootstrap, endpoint):
    return {
        **servers.CREDENTIALS,
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint,
        "LEDGER_TABLE": "ledger",
        "RUST_LOG": "info",
        "AWS_LAMBDA_FUNCTION_NAME": bootstrap.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }


def init_ms(bootstrap):
    """How long a function takes from its start until it asks for its first event: the best of five, in milliseconds."""
    return min(one_init_ms(bootstrap) for _ in range(5))


def one_init_ms(bootstrap):
    # The emulator starts a function with its first event, so its own word for this is no measure.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = f"127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(ANSWER_SECONDS)
        began = time.monotonic()
        variables = {**environment(bootstrap, "http://127.0.0.1:9"), "AWS_LAMBDA_RUNTIME_API": api}
        process = subprocess.Popen([bootstrap], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            listener.accept()[0].recv(1)
            return (time.monotonic() - began) * 1000
        finally:
            process.kill()
            process.wait()


class Emulator:
    """The runtime interface emulator with one function."""

    def __init__(self, program, bootstrap, endpoint):
        self.invoke_port, api_port = servers.free_port(), servers.free_port()
        addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{self.invoke_port}", "--runtime-api-address", f"127.0.0.1:{api_port}"]
        self.log = open(ROOT / f"target/rie-{bootstrap.name}.log", "w+")
        self.process = subprocess.Popen(
            [program, *addresses, bootstrap], env=environment(bootstrap, endpoint), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )
        servers.await_port(self.invoke_port, self.process)

    def invoke(self, event):
        """The answer, and how long it took in milliseconds."""
        url = f"http://127.0.0.1:{self.invoke_port}/2015-03-31/functions/function/invocations"
        began = time.monotonic()
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=event, method="POST"), timeout=ANSWER_SECONDS) as reply:
                body = reply.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        return body.decode(), (time.monotonic() - began) * 1000

    def peak_kib(self):
        """The most memory that the function held; nothing when its process has ended."""
        threads = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
        return max((peak_kib(child) for child in children), default=None)

    def close(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.log.close()


def verdict(answer):
    """What is wrong with an answer, or nothing."""
    try:
        value = json.loads(answer)
    except ValueError:
        return f"no JSON: {answer[:200]}"
    if not isinstance(value, dict) or "errorType" not in value:
        return None
    message = value.get("errorMessage", "")
    return None if REFUSED.search(message) else f"{value['errorType']}: {message[:300]}"


@contextlib.contextmanager
def endpoint():
    program = os.environ.get("SANDBOX_BIN")
    if not program:
        with servers.server("ministack") as url:
            yield url
        return
    port = servers.free_port()
    with open(ROOT / "target/rie-serve.log", "w") as log:
        process = subprocess.Popen([program, "serve", "--port", str(port)], cwd=ROOT, stdout=log, stderr=log)
        try:
            servers.await_port(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def main():
    folder, program = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    functions = binaries()
    passed, failures = 0, []
    with endpoint() as url:
        for logical_id in sorted(functions, key=lambda name: ORDER.index(name.removesuffix("Function"))):
            bootstrap = folder / functions[logical_id]
            emulator = Emulator(program, bootstrap, url)
            try:
                for path in events(logical_id):
                    answer, took = emulator.invoke(path.read_bytes())
                    wrong = verdict(answer)
                    print(f"{'failed' if wrong else 'passed'} {path.name} in {took:.0f} ms: {answer[:160]}")
                    passed += not wrong
                    failures += [f"{path.name}: {wrong}"] if wrong else []
                size, peak = bootstrap.stat().st_size / 2**20, emulator.peak_kib()
                print(f"       {bootstrap.name}: {size:.1f} MiB, init {init_ms(bootstrap):.0f} ms, at most {(peak or 0) / 1024:.1f} MiB of memory")
                if peak is None:
                    failures.append(f"{bootstrap.name}: its process has ended")
            finally:
                emulator.close()
    for failure in failures:
        print(f"failed: {failure}")
    print(f"rie: {passed} passed, {len(failures)} failed")
    return 1 if failures or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
