"""CloudWatch: metrics."""

import time

from client_checks import check
from client_checks.calls import client, error


@check
def metrics():
    cloudwatch = client("cloudwatch")
    cloudwatch.put_metric_data(Namespace="shop", MetricData=[{"MetricName": "orders", "Value": 3.0, "Unit": "Count"}])
    listed = []
    for _ in range(100):
        listed = cloudwatch.list_metrics(Namespace="shop")["Metrics"]
        if listed:
            break
        time.sleep(0.1)
    assert [metric["MetricName"] for metric in listed] == ["orders"], listed
    query = {"Id": "orders", "MetricStat": {"Metric": {"Namespace": "shop", "MetricName": "orders"}, "Period": 3600, "Stat": "Sum"}}
    span = {"StartTime": "2026-01-05T00:00:00Z", "EndTime": "2026-01-12T00:00:00Z"}
    [result] = cloudwatch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"]
    assert (result["Id"], result["Values"]) == ("orders", [3.0]), result
    error("ValidationError", cloudwatch.get_metric_data, MetricDataQueries=[{**query, "Id": "Orders"}], **span)
