//! The project's own templates, as a user deploys them.

use std::collections::BTreeSet;

use super::*;

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(super) fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// An account with a cluster.
pub(super) fn account(seed: u64) -> Aws {
    let mut aws = Aws::new(seed);
    crate::ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": "main"})).unwrap();
    aws
}

pub(super) fn deploy_service(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), StackError> {
    let mut parameters = given(&[
        ("Name", "web"),
        ("Cluster", "main"),
        ("VpcId", "vpc-1"),
        ("Subnets", "subnet-1,subnet-2"),
    ]);
    parameters.extend(given(more));
    deploy(aws, "web", &root().join("infra/service.yaml"), &parameters)
}

/// The stack with the functions and the ledger.
pub(super) fn deploy_functions(aws: &mut Aws) {
    deploy(aws, "slipway", &root().join("template.yaml"), &given(&[])).unwrap();
}

pub(super) const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:111122223333:certificate/1";

pub(super) const ROLES: &str =
    "arn:aws:iam::111122223333:role/task,arn:aws:iam::111122223333:role/execution";

pub(super) const PIPELINE: [(&str, &str); 6] = [
    ("PipelineName", "web"),
    ("Cluster", "main"),
    ("Service", "web"),
    ("Repository", "web"),
    ("ContainerName", "web"),
    ("TaskRoleArns", ROLES),
];

pub(super) fn deploy_pipeline(
    aws: &mut Aws,
    template: &str,
    more: &[(&str, &str)],
) -> Result<(), StackError> {
    let mut parameters = given(&PIPELINE);
    parameters.extend(given(more));
    let template = root().join("infra/pipelines").join(template);
    deploy(aws, "web-pipeline", &template, &parameters)
}

#[test]
fn the_functions_deploy_with_a_policy_each() {
    let mut aws = account(1);
    deploy_functions(&mut aws);

    let folders: BTreeSet<String> = std::fs::read_dir(root().join("functions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let deployed: BTreeSet<String> = aws
        .lambda
        .functions
        .values()
        .map(|function| function.code.clone())
        .collect();
    assert_eq!(deployed, folders);

    for name in folders {
        let function = aws.lambda.function(&format!("slipway-{name}")).unwrap();
        assert_eq!(function.code, name);
        assert!(function.environment["LEDGER_TABLE"].starts_with("slipway-LedgerTable-"));
        // A request of CloudFormation has a signed address, so it is kept nowhere, and what
        // poll-jobs could not take it polls for again.
        let dead_letters = "arn:aws:sqs:eu-west-1:111122223333:slipway-dead-letters";
        let keeps_none = ["find-task-roles", "poll-jobs"].contains(&name.as_str());
        let keeps = (!keeps_none).then_some(dead_letters);
        assert_eq!(function.invoke_config.on_failure.as_deref(), keeps);
        let oldest = function.invoke_config.maximum_event_age;
        assert_eq!(oldest, std::time::Duration::from_secs(300), "{name}");
        let role = aws.cloudformation.iam.role_by_arn(&function.role).unwrap();
        assert!(role.statements().count() > 1, "{name}");
    }

    let stack = aws.cloudformation.stack("slipway").unwrap();
    assert_eq!(
        aws.cloudformation.export("slipway-LedgerTableName"),
        Some(stack.outputs["LedgerTableName"].as_str())
    );
}

#[test]
fn a_service_and_its_pipeline_deploy_whatever_the_order_of_resources() {
    for seed in 0..20 {
        let mut aws = account(seed);
        deploy_service(&mut aws, &[]).unwrap();
        deploy_functions(&mut aws);
        deploy_pipeline(&mut aws, "in-place.yaml", &[]).unwrap();
        assert_eq!(physical_id(&aws, "web-pipeline", "Pipeline"), "web");
        assert_eq!(physical_id(&aws, "web-pipeline", "PushRule"), "slipway-web");
    }
}

#[test]
fn every_choice_of_the_service_template_deploys() {
    for more in [
        &[("LaunchType", "EC2"), ("DesiredCount", "2")][..],
        &[("LoadBalanced", "no"), ("KeepImages", "50")],
        &[("MinCapacity", "2"), ("MaxCapacity", "8")],
        &[("BlueGreen", "yes")],
        &[
            ("BlueGreen", "yes"),
            ("MaxCapacity", "8"),
            ("TargetCpuPercent", "40"),
        ],
        &[
            ("BlueGreen", "yes"),
            ("LaunchType", "EC2"),
            ("HostPort", "80"),
            ("KeepImages", "50"),
        ],
        &[
            ("CertificateArn", CERTIFICATE),
            ("LoadBalancerSubnets", "subnet-3,subnet-4"),
        ],
        &[
            ("BlueGreen", "yes"),
            ("CertificateArn", CERTIFICATE),
            ("Scheme", "internal"),
        ],
    ] {
        let mut aws = account(1);
        deploy_service(&mut aws, more).unwrap_or_else(|error| panic!("{more:?}: {error}"));
    }
}

#[test]
fn a_service_template_with_choices_that_do_not_fit_each_other_is_refused() {
    for (choices, expected) in [
        (
            [("BlueGreen", "yes"), ("LoadBalanced", "no")],
            "BlueGreen is yes, so LoadBalanced must be yes",
        ),
        (
            [("BlueGreen", "yes"), ("DesiredCount", "2")],
            "BlueGreen is yes, so DesiredCount must be empty",
        ),
        (
            [("MaxCapacity", "8"), ("DesiredCount", "2")],
            "MaxCapacity is given, so DesiredCount must be empty",
        ),
        (
            [
                ("AvailabilityZoneRebalancing", "ENABLED"),
                ("MaximumPercent", "100"),
            ],
            "AvailabilityZoneRebalancing is ENABLED, so MaximumPercent must be greater than 100",
        ),
        (
            [("MinimumHealthyPercent", "100"), ("MaximumPercent", "100")],
            "MaximumPercent is 100, so MinimumHealthyPercent must be less than 100",
        ),
    ] {
        let refused = deploy_service(&mut account(1), &choices).unwrap_err();
        assert!(refused.problem.starts_with(expected), "{refused}");
    }
}

#[test]
fn the_services_of_the_template_are_rebalanced_only_if_asked() {
    for (choices, expected) in [
        (&[][..], "DISABLED"),
        (
            &[("MinimumHealthyPercent", "50"), ("MaximumPercent", "100")][..],
            "DISABLED",
        ),
        (&[("BlueGreen", "yes")][..], "DISABLED"),
        (&[("AvailabilityZoneRebalancing", "ENABLED")][..], "ENABLED"),
    ] {
        let mut aws = account(1);
        deploy_service(&mut aws, choices).unwrap();
        let arns: Vec<String> = aws.ecs.services.keys().cloned().collect();
        let input = json!({"cluster": "main", "services": arns});
        let answer = crate::ecs::call(&mut aws, "DescribeServices", &input).unwrap();
        let services = answer["services"].as_array().unwrap();

        assert!(!services.is_empty());
        for service in services {
            assert_eq!(
                service["availabilityZoneRebalancing"], expected,
                "{choices:?}"
            );
        }
    }
}

#[test]
fn every_choice_of_the_pipeline_template_deploys() {
    for more in [
        &[
            ("Strategy", "make-room"),
            ("MinimumHealthyTasks", "1"),
            ("Approval", "yes"),
            ("ExecutionMode", "QUEUED"),
        ][..],
        &[
            ("MaximumPercent", "150"),
            ("MinimumHealthyPercent", "50"),
            ("DesiredCount", "4"),
            ("InitialCount", "2"),
        ],
        &[
            ("ConfigBucket", "config"),
            ("TaskDefinitionFile", "taskdef.json"),
        ],
    ] {
        let mut aws = account(1);
        deploy_service(&mut aws, &[]).unwrap();
        deploy_functions(&mut aws);
        deploy_pipeline(&mut aws, "in-place.yaml", more)
            .unwrap_or_else(|error| panic!("{more:?}: {error}"));
    }
}

#[test]
fn an_update_of_the_service_stack_keeps_what_delivery_changed() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    let ecs = |aws: &mut Aws, operation: &str, input: serde_json::Value| {
        crate::ecs::call(aws, operation, &input).unwrap()
    };
    let definition = ecs(
        &mut aws,
        "DescribeTaskDefinition",
        json!({"taskDefinition": "web"}),
    );

    let mut next = definition["taskDefinition"].clone();
    for read_only in [
        "taskDefinitionArn",
        "revision",
        "status",
        "requiresAttributes",
        "compatibilities",
        "registeredAt",
        "registeredBy",
    ] {
        next.as_object_mut().unwrap().remove(read_only);
    }

    next["containerDefinitions"][0]["image"] =
        json!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@sha256:1");
    let released =
        ecs(&mut aws, "RegisterTaskDefinition", next)["taskDefinition"]["taskDefinitionArn"]
            .clone();
    ecs(
        &mut aws,
        "UpdateService",
        json!({"cluster": "main", "service": "web", "taskDefinition": released, "desiredCount": 3}),
    );
    deploy_service(&mut aws, &[("MaximumPercent", "150")]).unwrap();

    let service = &ecs(
        &mut aws,
        "DescribeServices",
        json!({"cluster": "main", "services": ["web"]}),
    )["services"][0];
    assert_eq!(
        (&service["taskDefinition"], &service["desiredCount"]),
        (&released, &json!(3))
    );
    assert_eq!(service["deploymentConfiguration"]["maximumPercent"], 150);
}

/// A listener with a rule, which both forward to one target group with weight 100.
pub(super) fn weighted_listener(priority: u32, port: u32) -> String {
    format!(
        "
Resources:
  Groups:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties: {{Name: web, Port: 80, Protocol: HTTP, VpcId: vpc-1}}
  Balancer:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
    Properties: {{Subnets: [subnet-1, subnet-2]}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: {port}
      DefaultActions: &weighted
        - Type: forward
          ForwardConfig: {{TargetGroups: [{{TargetGroupArn: !Ref Groups, Weight: 100}}]}}
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: {priority}
      Conditions: [{{Field: path-pattern, Values: ['/*']}}]
      Actions: *weighted
"
    )
}

#[test]
fn an_update_sends_what_did_not_change_too() {
    let folder = Folder::new("worst", &[("t.yaml", &weighted_listener(1, 80))]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();

    let weights = |aws: &Aws| {
        aws.elb
            .all_forwards()
            .map(|(_, _, weight)| weight)
            .collect::<Vec<_>>()
    };
    let [group, rule, listener] =
        ["Groups", "Rule", "Listener"].map(|id| physical_id(&aws, "app", id));
    let groups = json!([{"TargetGroupArn": group, "Weight": 7}]);
    let moved = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]);
    crate::elb::update_rule(&mut aws, &rule, &json!({ "Actions": moved })).unwrap();
    crate::elb::update_listener(&mut aws, &listener, &json!({ "DefaultActions": moved })).unwrap();
    folder.deploy(&mut aws, "t.yaml").unwrap();

    assert_eq!(weights(&aws), [7, 7], "nothing changed in the template");

    folder.write("t.yaml", &weighted_listener(1, 81));
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(weights(&aws), [100, 7], "the listener's port changed");

    folder.write("t.yaml", &weighted_listener(2, 81));
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(weights(&aws), [100, 100], "the rule's priority changed");
}

#[test]
fn a_changed_task_definition_is_a_new_revision_and_the_old_one_is_deregistered() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    let placeholder = |aws: &Aws| physical_id(aws, "web", "PlaceholderTaskDefinition");
    let old = placeholder(&aws);

    deploy_service(&mut aws, &[("Cpu", "512"), ("Memory", "1024")]).unwrap();
    assert_ne!(placeholder(&aws), old);

    let described = crate::ecs::call(
        &mut aws,
        "DescribeTaskDefinition",
        &json!({"taskDefinition": old}),
    )
    .unwrap();
    assert_eq!(described["taskDefinition"]["status"], "INACTIVE");

    let service = crate::ecs::call(
        &mut aws,
        "DescribeServices",
        &json!({"cluster": "main", "services": ["web"]}),
    )
    .unwrap();
    assert_eq!(
        service["services"][0]["taskDefinition"],
        json!(old),
        "the service's own properties did not change"
    );
}
