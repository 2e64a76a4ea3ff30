//! The project's own templates of a blue/green pair and of its pipeline.

use serde_json::Value;

use super::own_templates::{
    ROLES, account, deploy_functions, deploy_pipeline, deploy_service, root,
};
use super::*;
use crate::elb::Elb;

/// An account with the stack of a pair.
pub(super) fn account_with_pair(seed: u64) -> Aws {
    let mut aws = account(seed);
    deploy_service(&mut aws, &[("BlueGreen", "yes")]).unwrap();
    aws
}

#[test]
fn a_pair_and_its_pipeline_deploy_and_go_whatever_the_order_of_resources() {
    for seed in 0..20 {
        let mut aws = account_with_pair(seed);
        assert_pair_with_all_traffic_on_blue(&aws);

        for (colour, group) in [("blue", "BlueTargetGroup"), ("green", "GreenTargetGroup")] {
            let group = physical_id(&aws, "web", group);
            assert_placeholder_and_test_rule(&aws, colour, &group);
        }

        deploy_functions(&mut aws);
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

/// The stack `web` is a pair, not a service, and its rule sends all traffic to blue.
fn assert_pair_with_all_traffic_on_blue(aws: &Aws) {
    let stack = aws.cloudformation.stack("web").unwrap();
    assert!(
        ["Service", "TargetGroup", "PlaceholderTaskDefinition"]
            .iter()
            .all(|id| stack.resource(id).is_none())
    );
    assert_eq!(stack.outputs["ServiceName"], "web");

    let rule = &aws.elb.rules[&stack.outputs["ProductionRuleArn"]];
    let [blue, green] =
        ["BlueTargetGroup", "GreenTargetGroup"].map(|id| physical_id(aws, "web", id));
    assert_eq!(
        Elb::forwards(rule.properties.get("Actions")),
        [(blue, 100), (green, 0)]
    );
}

/// The service of a colour runs the first revision of its own family, and requests with the test
/// header of the colour go to its target group.
fn assert_placeholder_and_test_rule(aws: &Aws, colour: &str, group: &str) {
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

    let test_header = &aws.cloudformation.stack("web").unwrap().outputs["TestHeader"];
    let by_header = aws.elb.rules.values().filter(|rule| {
        let header = &rule.properties["Conditions"][0]["HttpHeaderConfig"];
        header["HttpHeaderName"] == *test_header && header["Values"] == json!([colour])
    });
    let tested: Vec<_> = by_header
        .flat_map(|rule| Elb::forwards(rule.properties.get("Actions")))
        .collect();
    assert_eq!(tested, [(group.to_owned(), 1)]);
}

/// The pair's pipeline, on the rule that the stack `web` exports.
pub(super) fn deploy_blue_green(aws: &mut Aws, more: &[(&str, &str)]) -> Result<(), StackError> {
    let rule = aws.cloudformation.stack("web").unwrap().outputs["ProductionRuleArn"].clone();
    let more = [&[("Rule", rule.as_str())][..], more].concat();
    deploy_pipeline(aws, "blue-green.yaml", &more)
}

/// Parameters of the template, and the user parameters of the shift that they give.
type Choice = (&'static [(&'static str, &'static str)], Value);

fn choices() -> [Choice; 4] {
    let all_at_once =
        json!({"shift": "all-at-once", "bake_minutes": 10, "minimum_healthy_percent": 75});

    [
        (&[], all_at_once.clone()),
        (
            &[
                ("Shift", "linear"),
                ("StepPercent", "25"),
                ("StepMinutes", "2"),
                ("Approval", "yes"),
            ],
            json!({
                "shift": "linear", "step_percent": 25, "step_minutes": 2, "bake_minutes": 10,
                "minimum_healthy_percent": 75,
            }),
        ),
        (
            &[
                ("Shift", "listed"),
                ("Steps", "5,25,50,100"),
                ("BakeMinutes", "1"),
                ("MinimumHealthyPercent", "50"),
            ],
            json!({
                "shift": "listed", "steps": [5, 25, 50, 100], "step_minutes": 2,
                "bake_minutes": 1, "minimum_healthy_percent": 50,
            }),
        ),
        (
            &[
                ("ConfigBucket", "config"),
                ("TaskDefinitionFile", "taskdef.json"),
                ("InitialCount", "2"),
                ("DrainMinutes", "3"),
            ],
            all_at_once,
        ),
    ]
}

#[test]
fn every_choice_of_the_blue_green_template_deploys() {
    for (more, expected) in choices() {
        let mut aws = account_with_pair(1);
        deploy_functions(&mut aws);
        deploy_blue_green(&mut aws, more).unwrap_or_else(|error| panic!("{more:?}: {error}"));

        let actions = actions(&aws);
        assert_eq!(Value::Object(shift_parameters(&actions)), expected);
        let begin = user_parameters(&actions, "begin-release");
        assert_eq!(begin["strategy"], "blue-green");
        assert_eq!(begin["containers"], json!(["web"]));
        assert_eq!(
            begin.contains_key("taskdef"),
            more.iter().any(|(name, _)| *name == "TaskDefinitionFile")
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

/// The user parameters of the shift, without those that name the release.
fn shift_parameters(actions: &[Value]) -> serde_json::Map<String, Value> {
    let mut shift = user_parameters(actions, "swap-target-groups");
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
    shift
}

/// The given minutes of draining, or the template's default.
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
fn a_list_of_steps_rises_to_100_and_is_required_with_shift_listed() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);

    let mut refusal =
        |more: &[(&str, &str)]| deploy_blue_green(&mut aws, more).unwrap_err().problem;
    assert_eq!(
        refusal(&[("Shift", "listed")]),
        "Shift is listed, so Steps must be given, such as 5,25,50,100."
    );
    assert!(
        refusal(&[("Shift", "listed"), ("Steps", "5,25")]).contains("the last of which is 100")
    );
    assert!(
        refusal(&[(
            "Rule",
            "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/x/0"
        )])
        .contains("listener")
    );
}

fn longest(chars: usize) -> String {
    "a".repeat(chars)
}

/// Parameters of the blue/green template, each of which is as long as it may be.
fn longest_parameters() -> BTreeMap<String, String> {
    let hex = "0123456789abcdef";
    let rule = format!(
        "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:listener-rule/app/{}\
         /{hex}/{hex}/{hex}",
        longest(32)
    );
    let steps = format!("{}100", "10,".repeat(19));
    let parameters = [
        ("PipelineName", longest(59)),
        ("Cluster", longest(100)),
        ("Service", longest(100)),
        ("Repository", longest(150)),
        ("ContainerName", longest(100)),
        ("TaskRoleArns", ROLES.to_owned()),
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
        ("TaskDefinitionFile", longest(80)),
    ];
    parameters
        .map(|(name, value)| (name.to_owned(), value))
        .into()
}

/// User parameters with the longest values of the variables in them.
fn with_longest_variables(user_parameters: &str) -> String {
    let digest = format!("sha256:{}", longest(64));
    let image = format!(
        "111122223333.dkr.ecr.us-gov-west-1.amazonaws.com/{}@{digest}",
        longest(150)
    );

    // A family may have 255 characters.
    let revision = format!(
        "arn:aws-us-gov:ecs:us-gov-west-1:111122223333:task-definition/{}:1234567",
        longest(255)
    );
    user_parameters
        .replace(
            "#{codepipeline.PipelineExecutionId}",
            "01234567-89ab-cdef-0123-456789abcdef",
        )
        .replace("#{Image.ImageDigest}", &digest)
        .replace("#{Image.ImageURI}", &image)
        .replace("#{Register.TaskDefinitionArn}", &revision)
}

#[test]
fn user_parameters_of_the_longest_names_fit() {
    let mut aws = account(1);
    deploy_functions(&mut aws);
    deploy(
        &mut aws,
        "web-pipeline",
        &root().join("infra/pipelines/blue-green.yaml"),
        &longest_parameters(),
    )
    .unwrap();

    let role = &aws.cloudformation.stack("web-pipeline").unwrap().outputs["DeployRoleArn"];
    let longest_role = format!("arn:aws-us-gov:iam::111122223333:role/{}", longest(64));
    for action in actions(&aws) {
        let Some(given) = action["Configuration"]["UserParameters"].as_str() else {
            continue;
        };

        let put = with_longest_variables(given).replace(role.as_str(), &longest_role);
        assert!(
            put.len() <= 1000 && !put.contains("#{"),
            "{} has {} characters",
            action["Name"],
            put.len()
        );
    }
}
