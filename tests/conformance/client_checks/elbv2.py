"""Elastic Load Balancing: load balancers, listeners, rules and target groups."""

from client_checks import check
from client_checks.account import listener, target_group
from client_checks.calls import all_pages, cli, cli_error, client, modelled


@check
def elbv2_reads():
    elb = client("elbv2")
    balancers = all_pages(elb, "describe_load_balancers", "LoadBalancers[].LoadBalancerArn", 1)
    listeners = all_pages(elb, "describe_listeners", "Listeners[].ListenerArn", 1, LoadBalancerArn=balancers[0])
    groups = all_pages(elb, "describe_target_groups", "TargetGroups[].TargetGroupArn", 1)
    rules = cli("elbv2", "describe-rules", "--listener-arn", listeners[0])["Rules"]
    assert rules[-1]["Priority"] == "default" and rules[-1]["IsDefault"] is True, rules
    assert len(all_pages(elb, "describe_rules", "Rules[].RuleArn", 1, ListenerArn=listeners[0])) == len(rules)
    assert elb.describe_target_health(TargetGroupArn=groups[0])["TargetHealthDescriptions"]
    tags = elb.describe_tags(ResourceArns=[balancers[0], listeners[0], groups[0]])["TagDescriptions"]
    assert [it["ResourceArn"] for it in tags] == [balancers[0], listeners[0], groups[0]]
    elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=balancers)
    elb.get_waiter("target_in_service").wait(TargetGroupArn=groups[0], WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    modelled(elb, "TargetGroupNotFoundException", elb.describe_target_health, TargetGroupArn=groups[0] + "0")
    modelled(elb, "LoadBalancerNotFoundException", elb.describe_load_balancers, Names=["none"])
    assert "RuleNotFound" in cli_error("elbv2", "describe-rules", "--rule-arns", listeners[0] + "/none")


@check
def elbv2_changes():
    elb = client("elbv2")
    group = target_group()
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 7}]}}]
    rules = elb.describe_rules(ListenerArn=listener())["Rules"]
    for rule in [it for it in rules if not it["IsDefault"]]:
        changed = elb.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)["Rules"][0]
        assert changed["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] == 7, changed
        elb.modify_rule(RuleArn=rule["RuleArn"], Actions=rule["Actions"])
    defaults = elb.describe_listeners(ListenerArns=[listener()])["Listeners"][0]["DefaultActions"]
    changed = elb.modify_listener(ListenerArn=listener(), DefaultActions=actions)["Listeners"][0]
    assert changed["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] == 7, changed
    elb.modify_listener(ListenerArn=listener(), DefaultActions=defaults)
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9", "Port": 8080}])
    found = elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9"}])["TargetHealthDescriptions"]
    assert found[0]["Target"]["Port"] == 8080, found
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "10.9.9.9", "Port": 8080}])
    modelled(elb, "RuleNotFoundException", elb.modify_rule, RuleArn=listener() + "/none", Actions=actions)
