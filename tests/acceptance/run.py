#!/usr/bin/env python3
"""Deploys Slipway into an AWS account, releases images, checks what AWS shows, and removes it all.

Everything gets names that begin with the prefix: the functions' stack, a cluster, a service, a
blue/green pair and a pair behind two records of Route 53, with their repositories, and a pipeline
for each. A good and a broken image are released to all three, and one release is stopped while
traffic moves. Questions that no document settles are put to AWS, and their answers recorded. In the
end everything is removed, also after a failure and after Ctrl-C.
"""

import argparse
import re
import sys

from account import Account, Failed, expect
from checks import Checks
from images import Images
from questions import Questions
from releases import Releases
from report import Report
from stacks import ROOT, Stacks

# A sandbox has no VPC; CloudFormation only looks at the form of these ids.
SANDBOX_NETWORK = ("vpc-0a1b2c3d", ["subnet-0a1b2c3d", "subnet-1b2c3d4e"])
GOOD = "public.ecr.aws/docker/library/nginx:stable-alpine-slim"
BROKEN = "public.ecr.aws/docker/library/busybox:stable"

EXAMPLES = """
In an account where nothing depends on it, with credentials that may create roles and buckets:

  sam build && sam package --resolve-s3 --output-template-file .aws-sam/packaged.yaml
  python3 tests/acceptance/run.py --prefix accept --functions-template .aws-sam/packaged.yaml \\
    --report accept.md

Against `cargo sandbox serve --empty --speed 240`, without an account and in about two minutes:

  python3 tests/acceptance/run.py --prefix accept --endpoint-url http://127.0.0.1:4566 \\
    --region eu-west-1

Exit codes: 0 all checks passed; 1 a check failed, a question has no answer, or something is left;
2 wrong arguments.
What it costs and needs: docs/internals/acceptance.md
"""


def prefix(text):
    """Names of 64 characters are made of it, with at most 40 behind it."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{1,18}[a-z0-9]", text):
        raise argparse.ArgumentTypeError(
            "expected 3 to 20 lower-case letters, digits and hyphens, beginning with a letter")
    return text


def parsed():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefix", required=True, type=prefix, metavar="NAME",
                        help="the beginning of all names; use one that no stack has")
    parser.add_argument("--endpoint-url", metavar="URL",
                        help="of a sandbox, instead of AWS; images are then manifests alone")
    parser.add_argument("--region", help="instead of AWS_DEFAULT_REGION")
    parser.add_argument("--functions-template", metavar="FILE",
                        help="template.yaml as `sam package` writes it; a sandbox takes the "
                        "project's own")
    parser.add_argument("--subnets", metavar="IDS",
                        help="public subnets of one VPC, with commas between; without it those of "
                        "the default VPC")
    parser.add_argument("--good-image", default=GOOD, metavar="REF",
                        help=f"serves / on port 80 with status 200; {GOOD}")
    parser.add_argument("--broken-image", default=BROKEN, metavar="REF",
                        help=f"ends or never answers; {BROKEN}")
    parser.add_argument("--fail-first", action="store_true",
                        help="first create the service's stack in a cluster that is missing, "
                        "delete it, and create it again")
    parser.add_argument("--report", metavar="FILE",
                        help="write FILE.md and FILE.json, whatever its ending")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--keep", action="store_true", help="remove nothing in the end")
    end.add_argument("--remove", action="store_true",
                     help="only remove what a run with this prefix has left")
    arguments = parser.parse_args()
    if not (arguments.endpoint_url or arguments.functions_template or arguments.remove):
        parser.error("AWS needs --functions-template; `sam package` writes it")
    return arguments


def network(account, subnets):
    """The VPC and its subnets."""
    if account.is_sandbox:
        return SANDBOX_NETWORK
    ec2 = account.client("ec2")
    if subnets:
        found = ec2.describe_subnets(SubnetIds=subnets.split(","))["Subnets"]
    else:
        found = ec2.describe_subnets(
            Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    expect(len(found) > 1, "a load balancer needs two subnets; give --subnets")
    return found[0]["VpcId"], [it["SubnetId"] for it in found]


def fail_first(stacks, images):
    """A stack that cannot be created leaves nothing that stands in the way of the next one."""
    template, values = ROOT / "infra/service.yaml", stacks.web_values(f"{stacks.prefix}-none")
    status = stacks.try_create(stacks.web, template, values)
    expect(status == "ROLLBACK_COMPLETE", status)
    failures = stacks.failures(stacks.web)
    expect(failures, "no event of a failure")
    stacks.delete_stack(stacks.web)
    expect(not images.has_repository(stacks.web), f"the repository {stacks.web} is left")
    return failures[-1]


def deploy(report, stacks, images, arguments):
    """The outputs of what was deployed, by name; raises `Failed` when one step fails."""
    steps = {"functions": stacks.deploy_functions, "cluster": stacks.create_cluster}
    if arguments.fail_first:
        steps["fail first"] = lambda: fail_first(stacks, images)
    steps |= {
        "web": stacks.deploy_web,
        "shop": stacks.deploy_shop,
        "site": stacks.deploy_site,
        "web pipeline": lambda: stacks.deploy_web_pipeline(outputs["web"]),
        "shop pipeline": lambda: stacks.deploy_shop_pipeline(outputs["shop"]),
        "site pipeline": lambda: stacks.deploy_site_pipeline(outputs["site"]),
    }
    outputs = {}
    for name, step in steps.items():
        outputs[name] = report.check(f"deploy {name}", step)
        if not report.passed():
            raise Failed(f"{name} was not deployed")
    return outputs


def trial(report, stacks, arguments):
    account = stacks.account
    images = Images(account, arguments.good_image, arguments.broken_image)
    outputs = deploy(report, stacks, images, arguments)
    releases = Releases(account, stacks, outputs["functions"]["LedgerTableName"])
    for check in Checks(stacks, releases, images, outputs).in_order():
        report.check(check.__doc__.strip().rstrip("."), check)
    for question in Questions(stacks, releases, images, outputs).in_order():
        report.question(question)


def removed(stacks):
    left = stacks.remove()
    expect(not left, "; ".join(left))
    return "nothing is left"


def main():
    arguments = parsed()
    account = Account(arguments.endpoint_url, arguments.region)
    template = arguments.functions_template or ROOT / "template.yaml"
    stacks = Stacks(account, arguments.prefix, network(account, arguments.subnets), template)
    existing = [] if arguments.remove else stacks.existing()
    if existing:
        raise SystemExit(f"{', '.join(existing)} exists; take another prefix, or remove what a "
                         "run has left with --remove")
    where = f"account {account.id}, {account.region}" if not account.is_sandbox else "the sandbox"
    title = f"Acceptance of {arguments.prefix} in {where}"
    report = Report(title, arguments.report, account.is_sandbox)
    try:
        if not arguments.remove:
            trial(report, stacks, arguments)
    except Failed as failure:
        print(f"stopped: {failure}", flush=True)
    finally:
        if not arguments.keep:
            report.check("remove everything", lambda: removed(stacks))
        report.write()
    return 0 if report.passed() else 1


if __name__ == "__main__":
    sys.exit(main())
