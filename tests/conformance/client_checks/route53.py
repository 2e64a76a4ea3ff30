"""Amazon Route 53: weighted records of a hosted zone."""

import json
import time

from client_checks import check
from client_checks.calls import all_pages, client, modelled

NAME = "shop.example.com"
# Seconds of real time; a change takes at most a minute of virtual time.
IN_SYNC_LIMIT, POLL = 60, 0.2


def hosted_zone():
    template = {"Resources": {"Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "example.com"}}}}
    cloudformation = client("cloudformation")
    changes = cloudformation.create_change_set(
        StackName="zone", ChangeSetName="one", ChangeSetType="CREATE", TemplateBody=json.dumps(template))
    cloudformation.execute_change_set(ChangeSetName=changes["Id"])
    found = cloudformation.describe_stack_resources(StackName="zone", LogicalResourceId="Zone")["StackResources"]
    return found[0]["PhysicalResourceId"]


def weighted(action, identifier, weight, ttl=60):
    return {"Action": action, "ResourceRecordSet": {
        "Name": NAME, "Type": "CNAME", "SetIdentifier": identifier, "Weight": weight, "TTL": ttl,
        "ResourceRecords": [{"Value": f"{identifier}.example.org"}]}}


def in_sync(route53, changed):
    deadline = time.monotonic() + IN_SYNC_LIMIT
    while time.monotonic() < deadline:
        if route53.get_change(Id=changed["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC":
            return
        time.sleep(POLL)
    raise AssertionError(f"a change is not INSYNC after {IN_SYNC_LIMIT} s")


@check
def weighted_records():
    route53, zone = client("route53"), hosted_zone()
    assert route53.get_hosted_zone(Id=zone)["HostedZone"]["Name"] == "example.com."

    def change(*changes):
        return route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Comment": "a & b", "Changes": [*changes]})

    created = change(weighted("CREATE", "blue", 100), weighted("CREATE", "green", 0))
    assert created["ChangeInfo"]["Comment"] == "a & b", created
    in_sync(route53, created)
    in_sync(route53, change(weighted("UPSERT", "blue", 0), weighted("UPSERT", "green", 255)))

    names = all_pages(route53, "list_resource_record_sets", "ResourceRecordSets[].Type", 1, HostedZoneId=zone)
    assert names == ["NS", "SOA", "CNAME", "CNAME"], names
    page = route53.list_resource_record_sets(HostedZoneId=zone, StartRecordName=NAME, StartRecordType="CNAME")
    weights = {it["SetIdentifier"]: it["Weight"] for it in page["ResourceRecordSets"]}
    assert weights == {"blue": 0, "green": 255}, weights

    modelled(route53, "InvalidChangeBatch", lambda: change(weighted("UPSERT", "blue", 0, ttl=300)))
    modelled(route53, "NoSuchHostedZone", route53.get_hosted_zone, Id="Z0")
    modelled(route53, "NoSuchChange", route53.get_change, Id="C0")
    modelled(route53, "InvalidInput", route53.list_resource_record_sets, HostedZoneId=zone, StartRecordType="A")
