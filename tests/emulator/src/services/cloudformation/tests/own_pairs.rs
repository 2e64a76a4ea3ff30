//! The project's own templates of a blue/green pair and of its pipeline.

use serde_json::Value;

use super::own_templates::{FIRST_PIPELINE, account, deploy_service, given, root};
use super::*;
use crate::elb::Elb;

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
    let mut aws = account(1);
    deploy_service(&mut aws, &[("BlueGreen", "yes")]).unwrap();
    deploy(
        &mut aws,
        "slipway",
        &root().join("template.yaml"),
        &given(&[]),
    )
    .unwrap();

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
        "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:listener-rule/app/{}\
         /{hex}/{hex}/{hex}",
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
