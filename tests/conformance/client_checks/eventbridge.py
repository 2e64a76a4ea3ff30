"""EventBridge: rules and their targets."""

import json

from client_checks import check
from client_checks.calls import all_pages, cli, client, error, modelled


@check
def events_rules():
    events = client("events")
    rules = cli("events", "list-rules", "--name-prefix", "slipway-")["Rules"]
    assert rules and all_pages(events, "list_rules", "Rules[].Name", 1, NamePrefix="slipway-") == [it["Name"] for it in rules]
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:slipway-roll-back"
    events.put_rule(Name="own", EventPattern=json.dumps({"source": ["own"]}))
    events.put_targets(Rule="own", Targets=[{"Id": "one", "Arn": arn}])
    events.disable_rule(Name="own")
    listed = events.list_rules(NamePrefix="own")["Rules"]
    assert [it["State"] for it in listed] == ["DISABLED"], listed
    modelled(events, "InvalidEventPatternException", events.put_rule, Name="bad", EventPattern="{")
    modelled(events, "ResourceNotFoundException", events.disable_rule, Name="none")
    error("ValidationException", events.delete_rule, Name="own")
    events.remove_targets(Rule="own", Ids=["one"])
    events.delete_rule(Name="own")
