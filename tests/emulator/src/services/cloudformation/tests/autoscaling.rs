//! Scalable targets and scaling policies in templates.

use super::*;
use crate::autoscaling::{self, Suspended};
use crate::ecs;

const TEMPLATE: &str = "
Resources:
  Cluster: {Type: AWS::ECS::Cluster, Properties: {ClusterName: main}}
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties: {Family: web, ContainerDefinitions: [{Name: app, Image: 'nginx:1', Memory: 128}]}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !Ref Cluster
      ServiceName: web
      TaskDefinition: !Ref Definition
      DesiredCount: 2
      LaunchType: EC2
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: !Sub 'service/${Cluster}/${Service.Name}'
      MinCapacity: 1
      MaxCapacity: 4
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: cpu
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 60
        PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}
Outputs:
  Target: {Value: !Ref Target}
  Policy: {Value: !Ref Policy}
";

#[test]
fn a_scalable_target_is_named_by_its_three_parts_and_a_policy_by_its_arn() {
    let outputs = outputs("scaling", TEMPLATE);
    assert_eq!(
        outputs["Target"],
        "service/main/web|ecs:service:DesiredCount|ecs"
    );

    let policy = &outputs["Policy"];
    assert!(
        policy.starts_with("arn:aws:autoscaling:eu-west-1:111122223333:scalingPolicy:"),
        "{policy}"
    );
    assert!(
        policy.ends_with(":resource/ecs/service/main/web:policyName/cpu"),
        "{policy}"
    );
}

#[test]
fn an_update_leaves_a_suspension_alone_that_the_template_does_not_mention() {
    let folder = Folder::new("scaling-update", &[("t.yaml", TEMPLATE)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let suspend = json!({
        "ServiceNamespace": "ecs",
        "ResourceId": "service/main/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "SuspendedState": {"DynamicScalingInSuspended": true},
    });
    autoscaling::call(&mut aws, "RegisterScalableTarget", &suspend).unwrap();
    folder.write(
        "t.yaml",
        &TEMPLATE
            .replace("MaxCapacity: 4", "MaxCapacity: 6")
            .replace("TargetValue: 60", "TargetValue: 70"),
    );
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let target = aws.autoscaling.target_of("main", "web").unwrap();
    assert_eq!((target.min, target.max), (1, 6));
    assert_eq!(
        target.suspended,
        Suspended {
            dynamic_in: true,
            ..Suspended::default()
        }
    );

    let policies: Vec<_> = aws.autoscaling.policies_of("service/main/web").collect();
    assert_eq!(policies.len(), 1);
    assert_eq!(policies[0].configuration["TargetValue"], 70);

    folder.write(
        "t.yaml",
        &TEMPLATE.replace(
            "MinCapacity: 1",
            "MinCapacity: 1\n      SuspendedState: {DynamicScalingInSuspended: false}",
        ),
    );
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(
        aws.autoscaling.target_of("main", "web").unwrap().suspended,
        Suspended::default()
    );
}

#[test]
fn scaling_goes_with_its_stack() {
    let folder = Folder::new("scaling-delete", &[("t.yaml", TEMPLATE)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let definition = aws
        .ecs
        .service_named("main", "web")
        .unwrap()
        .primary()
        .unwrap()
        .task_definition
        .clone();

    assert!(
        ecs::call(
            &mut aws,
            "DescribeTaskDefinition",
            &json!({ "taskDefinition": definition })
        )
        .is_ok()
    );

    folder.write("t.yaml", TEMPLATE.split("  Target:").next().unwrap());
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert!(aws.autoscaling.targets.is_empty() && aws.autoscaling.policies.is_empty());
}

#[test]
fn a_policy_names_its_target_in_one_of_two_ways() {
    let both = TEMPLATE.replace(
        "ScalingTargetId: !Ref Target",
        "ScalingTargetId: !Ref Target\n      ServiceNamespace: ecs",
    );
    let message = refused("scaling-both", &both);

    assert!(
        message.contains("Either ScalingTargetId or all three of"),
        "{message}"
    );

    let apart = "ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: service/main/web";
    let parts = TEMPLATE
        .replace("  Policy:\n", "  Policy:\n    DependsOn: Target\n")
        .replace("ScalingTargetId: !Ref Target", apart);
    assert!(outputs("scaling-parts", &parts)["Policy"].ends_with("policyName/cpu"));

    let replaced = TEMPLATE.replace(
        "ScalingTargetId: !Ref Target",
        "StepScalingPolicyConfiguration: {}",
    );
    assert!(refused("scaling-step", &replaced).contains("unknown property"));
}
