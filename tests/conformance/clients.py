#!/usr/bin/env python3
"""Tests unmodified AWS clients on `cargo sandbox serve`: every operation that it serves, paginators, waiters and errors,
the JavaScript SDK, tools by others that deploy, which are ecs-deploy, SAM and the CDK, the command slipway and the action
of GitHub.

Needs the AWS CLI, ecs-deploy and Node.js on the PATH and boto3 (requirements-clients.txt). SANDBOX_BIN and SLIPWAY_BIN name
the binaries; without them `cargo run` builds them. SAM names the SAM CLI, NODE_FOLDER a folder with the files of `node`
and their packages.
Prints `N passed, N failed`; exits with 1 when something failed, also for want of a tool.
"""

import re
import sys
import time
import traceback

from client_checks import (
    CHECKS,
    autoscaling,
    cdk,
    cloudformation,
    cloudwatch,
    codepipeline,
    dynamodb,
    ecr,
    ecs,
    ecs_deploy,
    elbv2,
    eventbridge,
    functions,
    github_action,
    identity,
    javascript,
    releases,
    route53,
    s3,
    sam,
    server,
    slipway,
    unknown,
    worker,
)

# In this order: a check finds what the ones before have left.
MODULES = (
    releases, slipway, github_action, ecs, ecs_deploy, elbv2, autoscaling, codepipeline, worker, ecr, eventbridge, dynamodb,
    cloudformation, sam, javascript, cdk, functions, s3, route53, cloudwatch, identity, unknown,
)


def checks():
    return [function for module in MODULES for function in CHECKS[module.__name__]]


def main():
    wanted = sys.argv[1:]
    passed, failed = 0, 0
    sandbox = server.start()
    try:
        for function in checks():
            if wanted and function.__name__ not in wanted:
                continue
            began = time.monotonic()
            try:
                function()
                passed += 1
                print(f"ok      {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED  {function.__name__}\n{traceback.format_exc()}", flush=True)
    finally:
        status, console = sandbox.stop()
    served = {" ".join(line.split()[1:3]) for line in console.splitlines() if re.match(r"\d\d:\d\d:\d\d  \S+ \S+ 2\d\d", line)}
    print(f"{len(served)} operations answered with success; the console's last line: {console.strip().splitlines()[-1]}")
    if status != 0:
        failed += 1
        print(f"FAILED  the sandbox ended with {status}")
    if not wanted and "ecs ListAttributes" not in console.split("missing:", 1)[-1]:
        failed += 1
        print("FAILED  the console does not say what is missing")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
