"""AWS Lambda: invocations."""

import json

from client_checks import check
from client_checks.calls import client, modelled


@check
def lambda_functions():
    functions = client("lambda")
    sweep = "slipway-roll-back"
    event = {"detail-type": "nothing of ours", "source": "own", "detail": {}}
    accepted = functions.invoke(FunctionName=sweep, InvocationType="Event", Payload=json.dumps(event))
    assert accepted["StatusCode"] == 202, accepted
    assert functions.invoke(FunctionName=sweep, InvocationType="DryRun")["StatusCode"] == 204
    answered = functions.invoke(FunctionName=sweep, Payload=json.dumps(event))
    payload = json.loads(answered["Payload"].read())
    assert answered["StatusCode"] == 200 and answered["ExecutedVersion"] == "$LATEST", answered
    assert "FunctionError" not in answered or "errorMessage" in payload, payload
    modelled(functions, "ResourceNotFoundException", functions.invoke, FunctionName="none")
    modelled(functions, "InvalidRequestContentException", functions.invoke, FunctionName=sweep, Payload="{")
