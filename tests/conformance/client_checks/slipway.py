"""The command slipway: what people see and decide, with its exit codes."""

import json
import os
import subprocess
import tempfile

from client_checks import check, server
from client_checks.account import CLUSTER, PIPELINE, WEB
from client_checks.calls import cli

DEPLOYED, NOT_DEPLOYED, REFUSED, WRONG = 0, 1, 2, 64


def slipway(*arguments, status=DEPLOYED):
    """The output of the command in a pipe. `status` None: with any check OK or NG."""
    binary = os.environ.get("SLIPWAY_BIN")
    command = [binary] if binary else ["cargo", "run", "--quiet", "--package", "slipway-cli", "--bin", "slipway", "--"]
    done = subprocess.run([*command, *arguments], cwd=server.ROOT, env=server.SERVER.environment(), capture_output=True,
                          text=True, timeout=300)
    expected = (DEPLOYED, NOT_DEPLOYED) if status is None else (status,)
    assert done.returncode in expected, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


@check
def a_deployment_ends_with_its_outcome_as_exit_code():
    record = json.loads(slipway("deploy", WEB, "1.0.0", "--wait", "--json"))["record"]
    assert record["outcome"] == "unchanged", record
    record = json.loads(slipway("deploy", PIPELINE, "1.1.0", "--wait", "--json", status=NOT_DEPLOYED))["record"]
    assert record["outcome"] == "rolled-back", record
    slipway("wait", record["execution"], status=NOT_DEPLOYED)
    slipway("deploy", WEB, "9.9.9", "--wait", status=REFUSED)
    slipway("deploy", status=WRONG)

    story = json.loads(slipway("why", record["execution"], "--json"))["stories"][0]
    assert story["record"]["reason"] == record["reason"], story
    assert [it["name"] for it in story["actions"] if it["status"] == "Failed"] == ["update-service"], story


@check
def people_see_services_histories_and_pushes():
    rows = [line.split("\t") for line in slipway("status").splitlines()]
    assert [f"{CLUSTER}/{WEB}", "free"] in [row[:2] for row in rows], rows
    service = json.loads(slipway("status", WEB, "--json"))
    assert [it["service"] for it in service["runs"]] == [WEB], service
    outcomes = [line.split("\t")[2] for line in slipway("history", WEB).splitlines()]
    assert outcomes[:2] == ["rolled-back", "unchanged"], outcomes
    states = [line.split("\t")[4] for line in slipway("pushes", PIPELINE).splitlines()]
    assert "started" in states, states


@check
def people_see_figures_and_a_page():
    # The clock of the sandbox shows January 2026.
    figures = json.loads(slipway("figures", WEB, "--days", "60", "--until", "2026-02-01", "--json"))
    assert [it["service"] for it in figures["services"]] == [f"{CLUSTER}/{WEB}"], figures
    assert figures["services"][0]["failed_changes"] >= 1, figures
    page = slipway("page")
    assert page.startswith("<!DOCTYPE html>") and f"<bdi>{CLUSTER}/{WEB}</bdi>" in page, page[:2000]


@check
def a_plan_is_made_by_the_deployed_function():
    assert slipway("plan", WEB, "1.0.0").startswith(f"OK   {CLUSTER}/{WEB}\n")
    assert "complete -F _slipway" in slipway("completions", "bash")


@check
def the_aws_cli_takes_the_parameters_that_init_writes():
    with tempfile.TemporaryDirectory() as folder:
        done = slipway("init", "--from-service", f"{CLUSTER}/{WEB}", "--repository", WEB, "--output", folder, "--json",
                       status=None)
        answer = json.loads(done)
        parameters, notes = answer["files"]
        assert f"# Adopt `{CLUSTER}/{WEB}`" in open(notes).read()
        named = ["--stack-name", answer["stack"], "--change-set-name", "init"]
        template = server.ROOT / answer["template"]
        cli("cloudformation", "create-change-set", *named, "--capabilities", "CAPABILITY_IAM",
            "--template-body", f"file://{template}", "--parameters", f"file://{parameters}")
        cli("cloudformation", "delete-change-set", *named)
