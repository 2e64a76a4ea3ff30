"""cdk deploy: a stack without a bootstrap stack, whose template goes to a bucket of the demo."""

import json
import tempfile
from pathlib import Path

from client_checks import check
from client_checks.account import BUCKET, CLUSTER
from client_checks.calls import client
from client_checks.javascript import node


@check
def stacks_by_cdk():
    with tempfile.TemporaryDirectory() as home:
        outputs = Path(home) / "outputs.json"
        deploy = ["node", "node_modules/aws-cdk/bin/cdk", "deploy", "--app", "node cdk.cjs", "--output", f"{home}/cdk.out",
                  "--outputs-file", str(outputs), "--require-approval", "never", "--no-notices", "--ci",
                  "--context", f"cluster={CLUSTER}", "--context", f"bucket={BUCKET}"]
        first = node(*deploy, "--context", "count=1", home=home)
        assert first.returncode == 0, first.stdout + first.stderr
        uri = json.loads(outputs.read_text())["by-cdk"]["Uri"]
        assert uri == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/by-cdk", uri
        again = node(*deploy, "--context", "count=1", home=home)
        assert again.returncode == 0 and "no changes" in again.stdout + again.stderr, again.stdout + again.stderr
        changed = node(*deploy, "--context", "count=2", home=home)
        assert changed.returncode == 0, changed.stdout + changed.stderr
    service = client("ecs").describe_services(cluster=CLUSTER, services=["by-cdk"])["services"][0]
    assert service["desiredCount"] == 2, service
    keys = client("s3").list_objects_v2(Bucket=BUCKET, Prefix="by-cdk/")["Contents"]
    assert len(keys) == 2, "a template for each deployment with a change"
    stack = client("cloudformation").describe_stacks(StackName="by-cdk")["Stacks"][0]
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stack
