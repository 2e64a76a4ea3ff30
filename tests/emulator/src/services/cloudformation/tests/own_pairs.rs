//! The project's own templates of a blue/green pair and of its pipeline.

use serde_json::Value;

use super::own_roles::{TARGETS, statements};
use super::own_templates::{account, deploy_functions, deploy_pipeline, deploy_service};
use super::*;
use crate::elb::Elb;
use crate::iam::{Access, Demand, evaluate};

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
                ("Alarms", "shop errors,shop-latency"),
            ],
            json!({
                "shift": "listed", "steps": [5, 25, 50, 100], "step_minutes": 2,
                "bake_minutes": 1, "minimum_healthy_percent": 50,
                "alarms": ["shop errors", "shop-latency"],
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
        assert_eq!(own_parameters(&actions, "swap-target-groups"), expected);
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
            user_parameters(&actions, "retire").get("alarms"),
            expected.get("alarms")
        );
        assert_eq!(
            user_parameters(&actions, "retire")["drain_minutes"].as_u64(),
            drain(more)
        );

        let orders: Vec<i64> = actions
            .iter()
            .filter_map(|action| action["RunOrder"].as_i64())
            .collect();
        assert!(orders.is_sorted(), "{orders:?}");
        assert_eq!(
            actions.iter().any(|action| action["Name"] == "approve"),
            more.contains(&("Approval", "yes"))
        );
    }
}

/// The user parameters of an action, without those that name the release.
pub(super) fn own_parameters(actions: &[Value], name: &str) -> Value {
    let mut own = user_parameters(actions, name);
    own.retain(|name, _| {
        ![
            "pipeline",
            "execution",
            "cluster",
            "service",
            "task_definition",
        ]
        .contains(&name.as_str())
    });
    Value::Object(own)
}

/// The given minutes of draining, or the template's default.
fn drain(more: &[(&str, &str)]) -> Option<u64> {
    more.iter()
        .find(|(name, _)| *name == "DrainMinutes")
        .map_or(Some(5), |(_, value)| value.parse().ok())
}

/// The actions of the stage Release.
pub(super) fn actions(aws: &Aws) -> Vec<Value> {
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

pub(super) fn user_parameters(actions: &[Value], name: &str) -> serde_json::Map<String, Value> {
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

#[test]
fn the_services_of_a_pair_are_named_both_or_not_at_all() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);

    let mut refusal =
        |more: &[(&str, &str)]| deploy_blue_green(&mut aws, more).unwrap_err().problem;
    for one in ["BlueService", "GreenService"] {
        assert_eq!(
            refusal(&[(one, "Shop-ServiceA1B2-x")]),
            "BlueService and GreenService must be given together."
        );
    }
    assert_eq!(
        refusal(&[("BlueService", "shop"), ("GreenService", "shop")]),
        "BlueService and GreenService must be two services."
    );

    let names = [
        ("BlueService", "Shop-ServiceA1B2-x"),
        ("GreenService", "Shop-Green-y"),
    ];
    deploy_blue_green(&mut aws, &names).unwrap();
    let begin = user_parameters(&actions(&aws), "begin-release");
    assert_eq!(begin["service"], "web");
    assert_eq!(begin["blue_service"], "Shop-ServiceA1B2-x");
    assert_eq!(begin["green_service"], "Shop-Green-y");

    deploy_blue_green(&mut aws, &[]).unwrap();
    let begin = user_parameters(&actions(&aws), "begin-release");
    assert!(!begin.contains_key("blue_service") && !begin.contains_key("green_service"));
}

/// The statements of the pair's deploy role about scaling, and whether begin-release gets the word
/// that nothing may scale.
fn scaling(aws: &Aws) -> (Vec<Value>, bool) {
    let statements = statements(aws, "web-pipeline");
    let sids = ["SuspendScaleIn", "AlarmsOfScaling", "KeepAlarms"];
    let found = sids.iter().filter_map(|sid| statements.get(*sid).cloned());
    let begin = user_parameters(&actions(aws), "begin-release");
    assert!(
        begin
            .get("scales")
            .is_none_or(|given| *given == json!(false))
    );
    (found.collect(), begin.contains_key("scales"))
}

#[test]
fn only_a_pair_with_scalable_targets_has_the_statements_about_scaling() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    deploy_blue_green(&mut aws, &[]).unwrap();
    assert_eq!(scaling(&aws), (vec![], true));

    deploy_blue_green(&mut aws, &[("ScalableTargetArns", TARGETS)]).unwrap();
    let (statements, refuses) = scaling(&aws);
    assert_eq!(statements.len(), 3);
    assert!(!refuses);
    let targets: Vec<&str> = TARGETS.split(',').collect();
    assert_eq!(statements[0]["Resource"], json!(targets));

    // The role of another account has its own scalable targets.
    let role = "arn:aws:iam::444455556666:role/orders-deploy-role-DeployRole-1A2B";
    deploy_blue_green(&mut aws, &[("DeployRoleArn", role)]).unwrap();
    assert_eq!(scaling(&aws), (vec![], false));
}

#[test]
fn no_alarm_is_changed_under_the_deploy_role_of_a_pair_that_scales() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    deploy_blue_green(&mut aws, &[("ScalableTargetArns", TARGETS)]).unwrap();
    let (statements, _) = scaling(&aws);
    let access = |action: &str, resource: &str| {
        let demand = Demand::new(format!("cloudwatch:{action}"), resource);
        evaluate(&statements, &demand).unwrap()
    };

    let nameless = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:";
    let named = format!("{nameless}TargetTracking-service/main/web-blue-AlarmHigh-1");
    for action in ["PutMetricAlarm", "DeleteAlarms"] {
        assert_eq!(access(action, "*"), Access::Allowed);
        assert_eq!(access(action, nameless), Access::Allowed);
        assert_eq!(access(action, &named), Access::Denied);
    }
    assert_eq!(access("DescribeAlarms", &named), Access::Allowed);

    let denied = json!({
        "Sid": "KeepAlarms", "Effect": "Deny",
        "Action": ["cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"],
        "Resource": "arn:aws:cloudwatch:*:*:alarm:?*",
    });
    assert_eq!(statements[2], denied);
}

#[test]
fn a_swap_may_read_the_alarms_that_it_is_given() {
    let alarms = ("Alarms", "a,b");
    // With scalable targets AlarmsOfScaling has the action already.
    for (more, is_given) in [
        (&[][..], false),
        (&[alarms][..], true),
        (&[alarms, ("ScalableTargetArns", TARGETS)][..], false),
    ] {
        let mut aws = account_with_pair(1);
        deploy_functions(&mut aws);
        deploy_blue_green(&mut aws, more).unwrap();
        let statements = statements(&aws, "web-pipeline");
        let expected = json!({
            "Sid": "ReadAlarms", "Effect": "Allow", "Action": "cloudwatch:DescribeAlarms",
            "Resource": "*",
        });
        let reads = statements.get("ReadAlarms");
        assert_eq!(reads, is_given.then_some(&expected), "{more:?}");
    }
}

#[test]
fn a_url_is_requested_of_the_idle_colour_between_its_filling_and_the_approval() {
    let mut aws = account_with_pair(1);
    deploy_functions(&mut aws);
    let url = "https://shop.example.com/health";
    deploy_blue_green(&mut aws, &[("CheckUrl", url), ("Approval", "yes")]).unwrap();
    let actions = actions(&aws);
    let check = json!({
        "name": "url", "url": url, "attempts": 5, "required": 3,
        "headers": {"x-slipway-colour": "#{Begin.IdleColour}"}, "decided_by": "x-slipway-colour",
    });
    assert_eq!(
        own_parameters(&actions, "check"),
        json!({ "http_checks": [check] })
    );

    let order = |name: &str| {
        let mut all = actions.iter();
        let found = all.find(|action| action["Name"] == name).unwrap();
        found["RunOrder"].as_i64().unwrap()
    };
    let names = ["fill", "check", "approve", "swap-target-groups"];
    let orders = names.map(order);
    assert!(orders.is_sorted_by(|one, next| one < next), "{orders:?}");
}
