"""The action of GitHub, whose steps are played as a runner does, with the command slipway."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import yaml

from client_checks import check, server
from client_checks.account import PIPELINE, WEB
from client_checks.slipway import DEPLOYED, NOT_DEPLOYED, REFUSED, WRONG, slipway

# Whether there is such an image, if Amazon ECR takes no such name.
UNKNOWN = 3

ACTION = server.ROOT / "infra/github-action/action.yml"
# An expression of GitHub Actions. A runner puts the value in its place, as text.
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def action():
    return yaml.safe_load(ACTION.read_text())


def steps():
    return action()["runs"]["steps"]


def variables(step, given):
    """The variables of a step with the inputs in the place of their expressions."""
    defaults = {name: declared.get("default", "") for name, declared in action()["inputs"].items()}
    unknown = set(given) - set(defaults)
    assert not unknown, unknown
    inputs = {f"inputs.{name}": value for name, value in {**defaults, **given}.items()}
    return {name: EXPRESSION.sub(lambda found: inputs[found.group(1)], value) for name, value in step["env"].items()}


class Played:
    """One run of the action with these inputs."""

    def __init__(self, **given):
        self.folder = Path(tempfile.mkdtemp())
        try:
            self.play({"command": os.environ.get("SLIPWAY_BIN", "slipway"), **given})
        finally:
            shutil.rmtree(self.folder)

    def play(self, given):
        [step] = steps()
        script, summary, output = (self.folder / name for name in ("script.sh", "summary.md", "output"))
        script.write_text(step["run"])
        own = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(output), **variables(step, given)}
        # What `shell: bash` is to a runner.
        done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)], cwd=self.folder, text=True,
                              env={**server.SERVER.environment(), **own}, capture_output=True, timeout=300)
        self.status, self.log = done.returncode, done.stdout + done.stderr
        self.summary = summary.read_text() if summary.exists() else ""
        lines = output.read_text().splitlines() if output.exists() else []
        self.outputs = dict(line.split("=", 1) for line in lines)
        self.files = sorted(path.name for path in self.folder.iterdir())


@check
def a_script_of_the_action_has_no_text_of_a_caller_in_it():
    declared = {f"inputs.{name}" for name in action()["inputs"]}
    for step in steps():
        assert step["shell"] == "bash" and step["run"].startswith("set -euo pipefail\n"), step
        assert not EXPRESSION.search(step["run"]), step["run"]
        for value in step["env"].values():
            assert EXPRESSION.fullmatch(value).group(1) in declared, value
    for output in action()["outputs"].values():
        assert EXPRESSION.fullmatch(output["value"]).group(1).startswith("steps.release.outputs."), output


@check
def an_action_ends_as_its_release_does_and_writes_a_summary():
    good = Played(pipeline=PIPELINE, image="1.0.0")
    assert good.status == DEPLOYED, good.log
    assert good.outputs["outcome"] == "unchanged", good.outputs
    assert good.summary.startswith("### Slipway: unchanged\n\n    outcome\tunchanged\n"), good.summary
    assert good.outputs["execution"] in good.summary, good.summary

    bad = Played(service=WEB, image="1.1.0")
    assert bad.status == NOT_DEPLOYED, bad.log
    assert bad.outputs["outcome"] == "rolled-back" and "### Slipway: rolled-back\n" in bad.summary, bad.summary
    assert "\n    reason\t" in bad.summary, bad.summary

    refused = Played(pipeline=PIPELINE, image="9.9.9")
    assert refused.status == REFUSED, refused.log
    assert refused.summary.startswith("### Slipway: refused, nothing was changed\n\n    error: "), refused.summary
    assert refused.outputs == {"outcome": "", "execution": ""}, refused.outputs


@check
def an_action_that_does_not_wait_ends_once_its_execution_is_started():
    started = Played(pipeline=PIPELINE, image="1.0.0", wait="false")
    assert started.status == DEPLOYED and started.summary.startswith("### Slipway: started\n"), started.summary
    slipway("wait", started.outputs["execution"], "--pipeline", PIPELINE)


@check
def an_action_that_runs_no_command_has_started_nothing():
    for wrong, status in (({"timeout": "soon"}, WRONG), ({"command": "no-such-slipway"}, 127)):
        played = Played(pipeline=PIPELINE, image="1.0.0", **wrong)
        assert played.status == status and played.summary.startswith("### Slipway: not started\n"), played.summary


@check
def an_input_of_an_action_is_never_a_part_of_its_script():
    for image in ('1.0.0"; touch taken; "', "$(touch taken)", "`touch taken`", "--help"):
        played = Played(pipeline=PIPELINE, image=image)
        assert played.status in (REFUSED, UNKNOWN), (image, played.status, played.log)
        assert played.files == ["output", "script.sh", "summary.md"], played.files
    for wrong in ({"pipeline": PIPELINE, "service": WEB}, {}, {"pipeline": PIPELINE, "wait": "yes"}):
        played = Played(image="1.0.0", **wrong)
        assert played.status == WRONG and played.log.startswith("slipway: "), played.log
