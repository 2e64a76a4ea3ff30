"""Operations and services that the sandbox does not serve."""

from client_checks import check
from client_checks.calls import cli_error, client, error


@check
def what_is_not_served_is_unknown():
    error("UnknownOperationException", client("ecs").list_attributes, targetType="container-instance")
    error("InvalidAction", client("elbv2").describe_account_limits)
    error("InvalidAction", client("cloudformation").describe_account_limits)
    error("NotImplemented", client("s3").get_bucket_acl, Bucket="page-counter-config")
    error("UnknownOperationException", client("lambda").list_layers)
    error("UnknownOperationException", client("logs").describe_log_groups)
    error("InvalidAction", client("sns").list_topics)
    error("InvalidAction", client("ec2").describe_instances)
    error("UnknownOperationException", client("batch").describe_job_queues)
    error("NotImplemented", client("route53").list_hosted_zones)
    error("UnknownOperationException", client("cloudwatch").describe_anomaly_detectors)
    assert "UnknownOperationException" in cli_error("ecs", "list-attributes", "--target-type", "container-instance")
    assert "MissingAuthenticationToken" in cli_error("ecs", "list-clusters", "--no-sign-request")
