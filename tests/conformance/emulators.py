"""Compares the responses that the adapters get from the sandbox and from third-party emulators, field by field.

Two emulators agree on little that is not AWS's. Where one is known to be wrong or to leave something out, the difference is
listed below with its reason; any other difference fails, and so does a listed one that does not differ any more.

usage: emulators.py <the program `answers`> [moto|ministack …]
"""

import json
import os
import re
import subprocess
import sys

from servers import ACCOUNT, CREDENTIALS, SERVERS, server

ALL = r".*"

TASK_DEFINITION = r"task definition web(:1)?|the newest revision"

# (emulators, case, path): reason. The three are regular expressions that must match as a whole.
ALLOWED = {
    ("moto", r"service web in apps|the service with its targets|the updated service|an update.*", ALL): (
        "moto returns no deploymentConfiguration, which ECS always does, so the adapter refuses the service"
    ),
    ("moto", r"image web:1.0.0", ALL): "a digest of moto is not the one of the manifest",
    ("moto", r"registration with (nothing essential|a strange network mode)", ALL): "moto registers what ECS refuses",
    ("moto", TASK_DEFINITION, r".*\.systemControls"): "ECS returns the list when it is empty, moto does not",
    ("moto|ministack", r"instances of cluster nowhere", ALL): (
        "ListContainerInstances of a missing cluster is a ClusterNotFoundException (API reference), no empty list"
    ),
    ("moto|ministack", TASK_DEFINITION, r"definition\.enableFaultInjection"): "ECS answers false where nothing was sent",
    ("ministack", r"registration with (nothing essential|no memory|a strange network mode)", ALL): (
        "ministack registers what ECS refuses"
    ),
    ("ministack", TASK_DEFINITION, r".*\.(environment|mountPoints|portMappings|systemControls|volumesFrom)"): (
        "ECS returns these lists when they are empty, ministack does not"
    ),
    (
        "ministack",
        TASK_DEFINITION,
        r"definition\.(ephemeralStorage|executionRoleArn|ipcMode|pidMode|proxyConfiguration|runtimePlatform|taskRoleArn)",
    ): "ministack returns nulls and empty texts, ECS omits them",
    ("ministack", r"image web:1.0.0", ALL): (
        "ministack answers the media type of the manifest as the one of the artifact, ECR the one of the config"
    ),
    ("ministack", r"image (web|web:9.9.9|web@sha256:(0a)+)", r"failed"): (
        "ministack returns an empty list where ECR returns ImageNotFoundException"
    ),
    ("ministack", r"an update to a strange task definition", ALL): "ministack deploys what is not there",
    ("ministack", r"the updated service", r"deployments.*"): "ministack ends a rollout at once",
}


def answers(program, where, environment):
    done = subprocess.run([program, where], env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"{program} {where}: {done.stderr}")
    lines = map(json.loads, done.stdout.splitlines())
    return {line["case"]: line["answer"] for line in lines}


def leaves(value, path=""):
    """Paths and values of all scalars: ids are masked, and messages are left out, because their wording is not a contract."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            if key != "message":
                yield from leaves(member, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, re.sub(r"ecs-svc/\w+", "ecs-svc/<id>", value) if isinstance(value, str) else value


def compare(name, ours, theirs, differences=ALLOWED):
    allowed, failures, passed = set(), [], 0
    for case in ours.keys() | theirs.keys():
        mine, other = dict(leaves(ours.get(case))), dict(leaves(theirs.get(case)))
        for path in sorted(mine.keys() | other.keys()):
            if path in mine and path in other and mine[path] == other[path]:
                passed += 1
                continue
            known = [key for key in differences if all(map(re.fullmatch, key, (name, case, path)))]
            allowed.update(known)
            if not known:
                failures.append(f"{case}: {path or '(all)'}: sandbox {mine.get(path, 'nothing')!r}, {name} {other.get(path, 'nothing')!r}")
    stale = [key for key in differences if key not in allowed and re.fullmatch(key[0], name)]
    failures += [f"{' '.join(key)}: allowed to differ ({differences[key]}), and does not" for key in stale]
    return passed, sorted(failures)


def main():
    program, names = sys.argv[1], sys.argv[2:] or list(SERVERS)
    ours = answers(program, "sandbox", {})
    failed = 0
    for name in names:
        with server(name) as url:
            environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": url, "LEDGER_TABLE": "ledger", "ACCOUNT": ACCOUNT}
            theirs = answers(program, "endpoint", environment)
        passed, failures = compare(name, ours, theirs)
        for failure in failures:
            print(f"failed: {name}: {failure}")
        print(f"{name}: {len(theirs)} cases, {passed} fields passed, {len(failures)} failed")
        failed += len(failures) or not passed
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
