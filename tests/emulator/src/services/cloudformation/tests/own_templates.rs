//! The project's own templates, as a user deploys them.

use serde_json::Value;

use super::*;
use crate::elb::Elb;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// An account with a cluster.
fn account(seed: u64) -> Aws {
    let mut aws = Aws::new(seed);
    crate::ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": "main"})).unwrap();
    aws
}

fn deploy_service(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), StackError> {
    let mut parameters = given(&[
        ("Name", "web"),
        ("Cluster", "main"),
        ("VpcId", "vpc-1"),
        ("Subnets", "subnet-1,subnet-2"),
    ]);
    parameters.extend(given(more));
    deploy(aws, "web", &root().join("infra/service.yaml"), &parameters)
}

const CERTIFICATE: &str = "arn:aws:acm:eu-west-1:111122223333:certificate/1";

const FIRST_PIPELINE: [(&str, &str); 5] = [
    ("Name", "web"),
    ("Cluster", "main"),
    ("Service", "web"),
    ("Repository", "web"),
    ("ContainerName", "web"),
];

#[test]
fn the_functions_deploy_with_a_policy_each() {
    let mut aws = account(1);
    deploy(
        &mut aws,
        "slipway",
        &root().join("template.yaml"),
        &given(&[]),
    )
    .unwrap();
    for name in [
        "start-pipeline",
        "begin-release",
        "register-task-definition",
        "update-service",
        "swap-target-groups",
        "evaluate-canary",
        "finish-release",
        "roll-back",
    ] {
        let function = aws.lambda.function(&format!("slipway-{name}")).unwrap();
        assert_eq!(function.code, name);
        assert!(function.environment["LEDGER_TABLE"].starts_with("slipway-LedgerTable-"));
        assert!(
            function
                .invoke_config
                .on_failure
                .as_ref()
                .unwrap()
                .ends_with(":slipway-dead-letters")
        );
        let role = aws.cloudformation.iam.role_by_arn(&function.role).unwrap();
        assert!(role.statements().count() > 1, "{name}");
    }
    let stack = aws.cloudformation.stack("slipway").unwrap();
    assert!(stack.resource("FirstPipeline").is_none());
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
        deploy(
            &mut aws,
            "slipway",
            &root().join("template.yaml"),
            &given(&FIRST_PIPELINE),
        )
        .unwrap();
        let nested = aws
            .cloudformation
            .nested_stack("slipway", "FirstPipeline")
            .unwrap();
        assert_eq!(
            nested.resource("Pipeline").unwrap().physical_id,
            "slipway-web"
        );
        assert_eq!(
            aws.cloudformation.export("slipway-FirstPipelineName"),
            Some("slipway-web")
        );
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
    for (choices, says) in [
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
    ] {
        let refused = deploy_service(&mut account(1), &choices).unwrap_err();
        assert!(refused.problem.starts_with(says), "{refused}");
    }
}

#[test]
fn every_choice_of_the_pipeline_template_deploys() {
    let path = root().join("infra/pipelines/in-place.yaml");
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
        deploy(
            &mut aws,
            "slipway",
            &root().join("template.yaml"),
            &given(&[]),
        )
        .unwrap();
        let mut parameters = given(&FIRST_PIPELINE);
        parameters.extend(given(more));
        deploy(&mut aws, "web-pipeline", &path, &parameters)
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

#[test]
fn an_update_sends_what_did_not_change_too() {
    let text = |priority: u32, port: u32| {
        format!(
            "
Resources:
  Groups: {{Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {{Name: web, Port: 80, Protocol: HTTP, VpcId: vpc-1}}}}
  Balancer: {{Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {{Subnets: [subnet-1, subnet-2]}}}}
  Listener:
    Type: AWS::ElasticLoadBalancingV2::Listener
    Properties:
      LoadBalancerArn: !Ref Balancer
      Port: {port}
      DefaultActions: &weighted [{{Type: forward, ForwardConfig: {{TargetGroups: [{{TargetGroupArn: !Ref Groups, Weight: 100}}]}}}}]
  Rule:
    Type: AWS::ElasticLoadBalancingV2::ListenerRule
    Properties:
      ListenerArn: !Ref Listener
      Priority: {priority}
      Conditions: [{{Field: path-pattern, Values: ['/*']}}]
      Actions: *weighted
"
        )
    };
    let folder = Folder::new("worst", &[("t.yaml", &text(1, 80))]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    let weights = |aws: &Aws| {
        aws.elb
            .all_forwards()
            .map(|(_, _, weight)| weight)
            .collect::<Vec<_>>()
    };
    let id = |aws: &Aws, id: &str| {
        aws.cloudformation
            .stack("app")
            .unwrap()
            .resource(id)
            .unwrap()
            .physical_id
            .clone()
    };
    let (group, rule, listener) = (id(&aws, "Groups"), id(&aws, "Rule"), id(&aws, "Listener"));
    let moved = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 7}]}}]);
    crate::elb::update_rule(&mut aws, &rule, &json!({ "Actions": moved })).unwrap();
    crate::elb::update_listener(&mut aws, &listener, &json!({ "DefaultActions": moved })).unwrap();
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(weights(&aws), [7, 7], "nothing changed in the template");
    folder.write("t.yaml", &text(1, 81));
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(weights(&aws), [100, 7], "the listener's port changed");
    folder.write("t.yaml", &text(2, 81));
    folder.deploy(&mut aws, "t.yaml").unwrap();
    assert_eq!(weights(&aws), [100, 100], "the rule's priority changed");
}

#[test]
fn a_changed_task_definition_is_a_new_revision_and_the_old_one_is_deregistered() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[]).unwrap();
    let placeholder = |aws: &Aws| {
        aws.cloudformation
            .stack("web")
            .unwrap()
            .resource("PlaceholderTaskDefinition")
            .unwrap()
            .physical_id
            .clone()
    };
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

#[test]
fn a_pair_and_its_pipeline_deploy_and_go_whatever_the_order_of_resources() {
    for seed in 0..20 {
        let mut aws = account(seed);
        deploy_service(&mut aws, &[("BlueGreen", "yes")]).unwrap();
        let stack = aws.cloudformation.stack("web").unwrap();
        assert!(
            ["Service", "TargetGroup", "PlaceholderTaskDefinition"]
                .iter()
                .all(|id| stack.resource(id).is_none())
        );
        assert_eq!(stack.outputs["ServiceName"], "web");
        let groups = ["BlueTargetGroup", "GreenTargetGroup"]
            .map(|id| stack.resource(id).unwrap().physical_id.clone());
        let rule = &aws.elb.rules[&stack.outputs["ProductionRuleArn"]];
        let [blue, green] = groups.clone();
        assert_eq!(
            Elb::forwards(rule.properties.get("Actions")),
            [(blue, 100), (green, 0)]
        );
        for (colour, group) in ["blue", "green"].iter().zip(&groups) {
            let service = aws
                .ecs
                .service_named("main", &format!("web-{colour}"))
                .unwrap();
            let primary = service.primary().unwrap();
            assert!(
                primary
                    .task_definition
                    .ends_with(&format!("/web-{colour}:1")),
                "{}",
                primary.task_definition
            );
            let by_header = aws.elb.rules.values().filter(|rule| {
                rule.properties["Conditions"][0]["HttpHeaderConfig"]["HttpHeaderName"]
                    == stack.outputs["TestHeader"]
                    && rule.properties["Conditions"][0]["HttpHeaderConfig"]["Values"]
                        == json!([colour])
            });
            let tested: Vec<_> = by_header
                .flat_map(|rule| Elb::forwards(rule.properties.get("Actions")))
                .collect();
            assert_eq!(tested, [(group.clone(), 1)]);
        }
        deploy(
            &mut aws,
            "slipway",
            &root().join("template.yaml"),
            &given(&[]),
        )
        .unwrap();
        deploy_blue_green(&mut aws, &[]).unwrap();
        for stack in ["web-pipeline", "web"] {
            delete(&mut aws, stack).unwrap_or_else(|error| panic!("{seed}: {error}"));
        }
        assert!(aws.elb.target_groups.is_empty() && aws.elb.rules.is_empty());
        assert!(
            aws.ecs
                .service_named("main", "web-blue")
                .is_none_or(|gone| gone.desired_count == 0)
        );
    }
}

/// The pair's pipeline, on the rule that the stack `web` exports.
fn deploy_blue_green(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), StackError> {
    let rule = aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"].clone();
    let mut parameters = given(&FIRST_PIPELINE);
    parameters.insert("Rule".to_owned(), rule);
    parameters.extend(given(more));
    deploy(
        aws,
        "web-pipeline",
        &root().join("infra/pipelines/blue-green.yaml"),
        &parameters,
    )
}

#[test]
fn every_choice_of_the_blue_green_template_deploys() {
    let choices = [
        (
            &[][..],
            json!({"shift": "all-at-once", "bake_minutes": 10, "minimum_healthy_percent": 75}),
        ),
        (
            &[
                ("Shift", "linear"),
                ("StepPercent", "25"),
                ("StepMinutes", "2"),
                ("Approval", "yes"),
            ],
            json!({"shift": "linear", "step_percent": 25, "step_minutes": 2, "bake_minutes": 10, "minimum_healthy_percent": 75}),
        ),
        (
            &[
                ("Shift", "listed"),
                ("Steps", "5,25,50,100"),
                ("BakeMinutes", "1"),
                ("MinimumHealthyPercent", "50"),
            ],
            json!({"shift": "listed", "steps": [5, 25, 50, 100], "step_minutes": 2, "bake_minutes": 1, "minimum_healthy_percent": 50}),
        ),
        (
            &[
                ("ConfigBucket", "config"),
                ("TaskDefinitionFile", "taskdef.json"),
                ("InitialCount", "2"),
                ("DrainMinutes", "3"),
            ],
            json!({"shift": "all-at-once", "bake_minutes": 10, "minimum_healthy_percent": 75}),
        ),
    ];
    for (more, expected) in choices {
        let mut aws = account(1);
        deploy_service(&mut aws, &[("BlueGreen", "yes")]).unwrap();
        deploy(
            &mut aws,
            "slipway",
            &root().join("template.yaml"),
            &given(&[]),
        )
        .unwrap();
        deploy_blue_green(&mut aws, more).unwrap_or_else(|error| panic!("{more:?}: {error}"));
        let actions = actions(&aws);
        let mut shift = user_parameters(&actions, "swap-target-groups");
        shift.retain(|name, _| {
            ![
                "pipeline",
                "execution",
                "cluster",
                "service",
                "task_definition",
            ]
            .contains(&name.as_str())
        });
        assert_eq!(Value::Object(shift), expected);
        assert_eq!(
            user_parameters(&actions, "begin-release")["strategy"],
            "blue-green"
        );
        assert_eq!(user_parameters(&actions, "fill")["mode"], "fill");
        assert_eq!(user_parameters(&actions, "retire")["mode"], "retire");
        assert_eq!(
            user_parameters(&actions, "retire")["drain_minutes"].as_u64(),
            drain(more)
        );
        let orders: Vec<i64> = actions
            .iter()
            .filter_map(|action| action["RunOrder"].as_i64())
            .collect();
        assert!(
            orders.is_sorted()
                && actions.len()
                    == if more.contains(&("Approval", "yes")) {
                        7
                    } else {
                        6
                    }
        );
    }
}

/// The minutes of draining that are asked for, or the template's own.
fn drain(more: &[(&str, &str)]) -> Option<u64> {
    more.iter()
        .find(|(name, _)| *name == "DrainMinutes")
        .map_or(Some(5), |(_, value)| value.parse().ok())
}

/// The actions of the stage Release.
fn actions(aws: &Aws) -> Vec<Value> {
    let pipeline = aws
        .cloudformation
        .stack("web-pipeline")
        .unwrap()
        .resource("Pipeline")
        .unwrap();
    pipeline.properties["Stages"][1]["Actions"]
        .as_array()
        .unwrap()
        .clone()
}

fn user_parameters(actions: &[Value], name: &str) -> serde_json::Map<String, Value> {
    let action = actions
        .iter()
        .find(|action| action["Name"] == name)
        .unwrap();
    serde_json::from_str(action["Configuration"]["UserParameters"].as_str().unwrap()).unwrap()
}

#[test]
fn a_list_of_steps_rises_to_the_whole_and_is_given_where_it_is_asked_for() {
    let mut aws = account(1);
    deploy_service(&mut aws, &[("BlueGreen", "yes")]).unwrap();
    deploy(
        &mut aws,
        "slipway",
        &root().join("template.yaml"),
        &given(&[]),
    )
    .unwrap();
    let mut says = |more: &[(&str, &str)]| deploy_blue_green(&mut aws, more).unwrap_err().problem;
    assert_eq!(
        says(&[("Shift", "listed")]),
        "Shift is listed, so Steps must be given, such as 5,25,50,100."
    );
    assert!(says(&[("Shift", "listed"), ("Steps", "5,25")]).contains("the last of which is 100"));
    assert!(
        says(&[(
            "Rule",
            "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/0"
        )])
        .contains("listener")
    );
}

#[test]
fn user_parameters_of_the_longest_names_fit() {
    let mut aws = account(1);
    deploy(
        &mut aws,
        "slipway",
        &root().join("template.yaml"),
        &given(&[]),
    )
    .unwrap();
    let longest = |chars: usize| "a".repeat(chars);
    let hex = "0123456789abcdef";
    let rule = format!(
        "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:listener-rule/app/{}/{hex}/{hex}/{hex}",
        longest(32)
    );
    let steps = format!("{}100", "10,".repeat(19));
    let parameters = BTreeMap::from([
        ("Name", longest(51)),
        ("Cluster", longest(100)),
        ("Service", longest(100)),
        ("Repository", longest(150)),
        ("ContainerName", longest(100)),
        ("Rule", rule),
        ("InitialCount", "9999".to_owned()),
        ("DeadlineMinutes", "1380".to_owned()),
        ("Shift", "listed".to_owned()),
        ("Steps", steps),
        ("StepMinutes", "1380".to_owned()),
        ("BakeMinutes", "1380".to_owned()),
        ("MinimumHealthyPercent", "100".to_owned()),
        ("DrainMinutes", "1380".to_owned()),
        ("ConfigBucket", "config".to_owned()),
        ("TaskDefinitionFile", longest(100)),
    ]);
    let parameters = parameters
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    deploy(
        &mut aws,
        "web-pipeline",
        &root().join("infra/pipelines/blue-green.yaml"),
        &parameters,
    )
    .unwrap();
    let (digest, id) = (
        format!("sha256:{}", longest(64)),
        "01234567-89ab-cdef-0123-456789abcdef",
    );
    let image = format!(
        "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com/{}@{digest}",
        longest(150)
    );
    // A family may have 255 characters.
    let revision = format!(
        "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:task-definition/{}:1234567",
        longest(255)
    );
    for action in actions(&aws) {
        let Some(given) = action["Configuration"]["UserParameters"].as_str() else {
            continue;
        };
        let put = given
            .replace("#{codepipeline.PipelineExecutionId}", id)
            .replace("#{Image.ImageDigest}", &digest)
            .replace("#{Image.ImageURI}", &image)
            .replace("#{Register.TaskDefinitionArn}", &revision);
        assert!(
            put.len() <= 1000 && !put.contains("#{"),
            "{} has {} characters",
            action["Name"],
            put.len()
        );
    }
}
