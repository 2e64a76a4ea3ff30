"""Application Auto Scaling: scalable targets and scaling policies."""

from client_checks import check
from client_checks.account import CLUSTER, WEB
from client_checks.calls import all_pages, cli, client, error, modelled


@check
def scaling_of_a_service():
    scaling = client("application-autoscaling")
    about = {"ServiceNamespace": "ecs", "ResourceId": f"service/{CLUSTER}/{WEB}", "ScalableDimension": "ecs:service:DesiredCount"}
    modelled(scaling, "ObjectNotFoundException", scaling.deregister_scalable_target, **about)
    arn = scaling.register_scalable_target(**about, MinCapacity=1, MaxCapacity=4)["ScalableTargetARN"]
    scaling.register_scalable_target(**about, SuspendedState={"DynamicScalingInSuspended": True})
    described = cli("application-autoscaling", "describe-scalable-targets", "--service-namespace", "ecs",
                    "--resource-ids", about["ResourceId"])["ScalableTargets"][0]
    assert (described["ScalableTargetARN"], described["MinCapacity"], described["MaxCapacity"]) == (arn, 1, 4), described
    assert described["SuspendedState"]["DynamicScalingInSuspended"] is True, described
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
    scaling.put_scaling_policy(**about, PolicyName="cpu", PolicyType="TargetTrackingScaling",
                               TargetTrackingScalingPolicyConfiguration={"TargetValue": 50.0, "PredefinedMetricSpecification": metric})
    names = all_pages(scaling, "describe_scaling_policies", "ScalingPolicies[].PolicyName", 1, ServiceNamespace="ecs")
    assert names == ["cpu", "cpu", "cpu"], names
    assert "less than minimum" in error("ValidationException", scaling.register_scalable_target, **about, MinCapacity=5)
    scaling.delete_scaling_policy(**about, PolicyName="cpu")
    scaling.deregister_scalable_target(**about)
    left = all_pages(scaling, "describe_scalable_targets", "ScalableTargets", 1, ServiceNamespace="ecs")
    assert about["ResourceId"] not in [target["ResourceId"] for target in left] and len(left) == 2, left
