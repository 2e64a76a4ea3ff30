"""JavaScript: the AWS SDK, and the folder of its packages."""

import os

from client_checks import check
from client_checks.account import CLUSTER, PIPELINE, WEB
from client_checks.calls import run


def node(*command, home=os.devnull):
    """The end of a command in the folder of JavaScript; it must not find anything of its user."""
    quiet = {"AWS_REGION": "eu-west-1", "HOME": str(home), "CDK_DISABLE_VERSION_CHECK": "1", "CDK_DISABLE_CLI_TELEMETRY": "true"}
    return run(*command, more=quiet, cwd=os.environ["NODE_FOLDER"])


@check
def javascript():
    done = node("node", "sdk.cjs", CLUSTER, WEB, PIPELINE)
    assert done.returncode == 0 and "agrees" in done.stdout, done.stdout + done.stderr
