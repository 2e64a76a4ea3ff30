//! A pair observed whole: each colour with its own service, targets and weight, and what is gone.

use serde_json::{Value, json};

use super::load_balancing::{forward, group, rule_with};
use super::scaling::target;
use super::script::{Answer, Script, answer, at, run, xml, xml_refusal};
use super::services::service;
use super::target_health::{targets, tasks};
use crate::aws::{ObservePairError, ObservedPair, Pairs};
use crate::job::{Failure, StepError};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::pair::IncompletePair;
use crate::observed::percentages::Percentages;
use crate::observed::route::Route;
use crate::observed::scaling::ScalingView;
use crate::observed::weights::Weights;
use crate::release::{Lease, PriorColour, PriorPair};

const RULE: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/app/shop/1/2/3";

fn lease() -> Lease {
    Lease {
        cluster: "apps".to_owned(),
        service: "shop".to_owned(),
        fence: 7,
        changed_at: None,
        last_known: None,
        restart: None,
        left: None,
        release: None,
    }
}

fn pair(suspended: [Option<bool>; 2]) -> PriorPair {
    let colour = |group: &str, suspended| PriorColour {
        target_group: group.to_owned(),
        weight: 0,
        task_definition: "shop:1".to_owned(),
        desired_count: 2,
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 200,
        },
        found: None,
        suspended,
        schedule_suspended: Some(false),
    };

    let [blue, green] = suspended;
    PriorPair {
        route: Route::Rule(RULE.to_owned()),
        live: Colour::Blue,
        given_services: None,
        colours: PerColour {
            blue: colour("blue", blue),
            green: colour("green", green),
        },
    }
}

fn rule(groups: &[(&str, u32)]) -> Answer {
    rule_with(&forward(
        &groups
            .iter()
            .map(|(arn, weight)| group(arn, Some(*weight)))
            .collect::<String>(),
        "",
    ))
}

fn of_colour(colour: &str, desired: u32) -> Value {
    let mut service = service();
    service["serviceArn"] = json!(format!(
        "arn:aws:ecs:eu-west-1:111122223333:service/apps/shop-{colour}"
    ));
    service["desiredCount"] = json!(desired);
    service["loadBalancers"] = json!([{ "targetGroupArn": colour }]);

    service
}

fn services(services: &[Value]) -> Answer {
    answer(&json!({"services": services, "failures": []}))
}

fn both() -> Answer {
    services(&[of_colour("green", 9), of_colour("blue", 4)])
}

fn observe(
    health: &[Colour],
    answers: impl IntoIterator<Item = Answer>,
) -> (Result<ObservedPair, ObservePairError>, Script) {
    let script = Script::new(answers);
    let seen = run(Pairs::new(&script.sdk()).observe(&lease(), &pair([None; 2]), health));
    assert!(script.is_played());
    (seen, script)
}

/// A pair of 4 and 9 tasks, of which 1 and 3 are healthy, at weights 90 and 10.
fn observe_both() -> (ObservedPair, Script) {
    let rule = rule(&[("third", 5), ("green", 10), ("blue", 90)]);
    let [blue, blue_tasks] = tasks(&[0]);
    let [green, green_tasks] = tasks(&[0, 1, 2]);
    let answers = [
        rule,
        both(),
        targets(&["healthy"]),
        blue,
        blue_tasks,
        targets(&["healthy"; 3]),
        green,
        green_tasks,
    ];
    let (seen, script) = observe(&[Colour::Blue, Colour::Green], answers);

    (seen.expect("understood"), script)
}

#[test]
fn each_colour_has_its_own_service_weight_and_targets() {
    let (seen, _) = observe_both();
    let view = &seen.view;

    let weights = Weights {
        blue: 90,
        green: 10,
    };
    assert_eq!((view.observed_at, view.weights), (at(0), weights));
    let services = view.services.as_array();
    assert_eq!(services.map(|service| service.desired), [4, 9]);
    assert_eq!(
        services.map(|service| service.target_groups[0].healthy),
        [1, 3]
    );

    assert_eq!(seen.of(Colour::Blue).name(), ("apps", "shop-blue"));
    assert_eq!(seen.of(Colour::Green).name(), ("apps", "shop-green"));
}

#[test]
fn a_pair_is_observed_by_its_rule_its_services_and_the_group_of_each() {
    let (_, script) = observe_both();
    let sent = script.sent();

    assert_eq!(
        script.operations(),
        [
            "DescribeRules",
            "DescribeServices",
            "DescribeTargetHealth",
            "ListTasks",
            "DescribeTasks",
            "DescribeTargetHealth",
            "ListTasks",
            "DescribeTasks"
        ]
    );
    assert_eq!(sent[0].form()["RuleArns.member.1"], RULE);
    assert_eq!(
        sent[1].json()["services"],
        json!(["shop-blue", "shop-green"])
    );
    let groups = [&sent[2], &sent[5]].map(|sent| sent.form()["TargetGroupArn"].clone());
    assert_eq!(groups, ["blue", "green"]);
}

#[test]
fn target_health_is_read_for_the_colours_that_are_named() {
    let rule = rule(&[("green", 10), ("blue", 90)]);
    let [listed, described] = tasks(&[0]);
    let answers = [rule, both(), targets(&["healthy"]), listed, described];
    let (seen, script) = observe(&[Colour::Green], answers);
    let view = seen.expect("understood").view;

    assert_eq!(
        (
            view.services.blue.target_groups[0].healthy,
            view.services.green.target_groups[0].healthy
        ),
        (0, 1)
    );
    assert_eq!(script.sent()[2].form()["TargetGroupArn"], "green");
}

#[test]
fn services_with_given_names_are_observed_and_scaled_under_these() {
    let of = |colour: &str, name: &str| {
        let mut service = of_colour(colour, 2);
        let arn = format!("arn:aws:ecs:eu-west-1:111122223333:service/apps/{name}");
        service["serviceArn"] = json!(arn);
        service
    };
    let [blue, green] = ["Shop-ServiceA1B2-x", "Shop-Green-y"];
    let script = Script::new([
        rule(&[("green", 10), ("blue", 90)]),
        services(&[of("green", green), of("blue", blue)]),
        super::scaling::targets(&[]),
    ]);
    let pairs = Pairs::new(&script.sdk());
    let mut named = pair([Some(false); 2]);
    named.given_services = Some(PerColour {
        blue: blue.to_owned(),
        green: green.to_owned(),
    });

    let seen = run(pairs.observe(&lease(), &named, &[])).expect("understood");
    run(pairs.suspend_scale_in(&lease(), &named, true)).expect("nothing scales");
    let names = [Colour::Blue, Colour::Green].map(|colour| seen.of(colour).name().1);
    assert_eq!(names, [blue, green]);

    let sent = script.sent();
    assert_eq!(sent[1].json()["services"], json!([blue, green]));
    let ids = [blue, green].map(|name| format!("service/apps/{name}"));
    assert_eq!(sent[2].json()["ResourceIds"], json!(ids));
}

fn incomplete(answers: impl IntoIterator<Item = Answer>) -> IncompletePair {
    match observe(&[], answers).0 {
        Err(ObservePairError::Incomplete(incomplete)) => incomplete,
        other => panic!("{other:?}"),
    }
}

fn gone(answers: impl IntoIterator<Item = Answer>) -> String {
    let error = ObservePairError::Incomplete(incomplete(answers));
    match StepError::from(error) {
        StepError::Failed(Failure { message, .. }) => message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_incomplete_pair_fails_and_names_the_missing_part() {
    let end = "a release cannot go on or back without it; manual intervention required";
    assert_eq!(
        gone([xml_refusal("RuleNotFound", "no")]),
        format!("the rule {RULE} is gone; {end}")
    );

    let weights = || rule(&[("green", 10), ("blue", 90)]);
    let mut draining = of_colour("green", 0);
    draining["status"] = json!("DRAINING");
    let expected = format!("service `shop-green` is gone from cluster `apps`; {end}");
    assert_eq!(
        gone([weights(), services(&[of_colour("blue", 4), draining])]),
        expected
    );

    let arn = "arn:aws:ecs:eu-west-1:111122223333:service/apps/shop-blue";
    let missing = json!({
        "services": [of_colour("green", 9)],
        "failures": [{"arn": arn, "reason": "MISSING"}],
    });
    let expected = format!("service `shop-blue` is gone from cluster `apps`; {end}");
    assert_eq!(gone([weights(), answer(&missing)]), expected);

    let expected = format!("the rule {RULE} no longer forwards to green; {end}");
    assert_eq!(
        gone([rule(&[("other", 10), ("blue", 90)]), both()]),
        expected
    );
}

#[test]
fn a_route_sets_the_weight_of_each_colour_on_its_own_group() {
    let script = Script::new([
        rule(&[("green", 0), ("third", 5), ("blue", 100)]),
        both(),
        xml("ModifyRule", ""),
    ]);
    let pairs = Pairs::new(&script.sdk());
    let pair = pair([None; 2]);
    let seen = run(pairs.observe(&lease(), &pair, &[])).expect("understood");

    run(pairs.set_weights(
        &seen,
        &pair,
        Weights {
            blue: 70,
            green: 30,
        },
    ))
    .expect("set");
    let sent = script.sent()[2].form();
    let weight = |at: u32| {
        let group = format!("Actions.member.1.ForwardConfig.TargetGroups.member.{at}.");
        (
            sent[&format!("{group}TargetGroupArn")].as_str(),
            sent[&format!("{group}Weight")].as_str(),
        )
    };

    assert_eq!(
        [weight(1), weight(2), weight(3)],
        [("green", "30"), ("third", "5"), ("blue", "70")]
    );
    assert_eq!(
        (sent["Action"].as_str(), sent["RuleArn"].as_str()),
        ("ModifyRule", RULE)
    );
}

#[test]
fn scaling_of_both_colours_is_read_blue_first() {
    let found = [
        target("shop-green", [Some(true), None, None]),
        target("shop-blue", [Some(false), None, None]),
    ];
    let script = Script::new([super::scaling::targets(&found)]);
    let names = pair([None; 2]).services("shop");
    let scaling = run(Pairs::new(&script.sdk()).scaling("apps", &names)).expect("answered");
    let view = |scale_in_suspended| {
        Some(ScalingView {
            scale_in_suspended,
            schedule_suspended: false,
            max_capacity: 9,
        })
    };

    assert_eq!(
        scaling,
        PerColour {
            blue: view(false),
            green: view(true)
        }
    );
    assert_eq!(
        script.only().json()["ResourceIds"],
        json!(["service/apps/shop-blue", "service/apps/shop-green"])
    );
}

/// Suspensions of scale-in and scheduled scaling that are registered for blue and green, both as
/// found.
fn suspended(
    recorded: [Option<bool>; 2],
    found: [[bool; 2]; 2],
    suspend: bool,
) -> Vec<(String, [bool; 2])> {
    let [blue, green] = found.map(|[scale_in, schedule]| [Some(scale_in), None, Some(schedule)]);
    let found = [target("shop-blue", blue), target("shop-green", green)];
    let script = Script::new([
        super::scaling::targets(&found),
        answer(&json!({})),
        answer(&json!({})),
    ]);

    run(Pairs::new(&script.sdk()).suspend_scale_in(&lease(), &pair(recorded), suspend))
        .expect("registered");
    let registered = script.sent().into_iter().skip(1).map(|sent| sent.json());
    let state = |sent: Value| {
        let name = sent["ResourceId"].as_str().expect("a name").to_owned();
        let flag = |flag: &str| sent["SuspendedState"][flag].as_bool().expect("a flag");
        let flags = ["DynamicScalingInSuspended", "ScheduledScalingSuspended"];
        (name, flags.map(flag))
    };

    registered.map(state).collect()
}

#[test]
fn scale_in_is_suspended_on_both_colours_that_scale_and_so_are_scheduled_actions() {
    let blue = ("service/apps/shop-blue".to_owned(), [true; 2]);
    let green = ("service/apps/shop-green".to_owned(), [true; 2]);
    let neither = [[false; 2]; 2];

    assert_eq!(
        suspended([Some(false); 2], neither, true),
        [blue.clone(), green.clone()]
    );
    let one = [[true, false], [false, true]];
    assert_eq!(
        suspended([Some(false); 2], one, true),
        [blue.clone(), green.clone()]
    );
    assert_eq!(suspended([None, Some(false)], neither, true), [green]);
    assert_eq!(suspended([Some(true), None], neither, true), [blue]);
}

#[test]
fn scale_in_is_restored_as_it_was_recorded() {
    let blue = ("service/apps/shop-blue".to_owned(), [false; 2]);
    let green = ("service/apps/shop-green".to_owned(), [true, false]);
    let recorded = [Some(false), Some(true)];
    assert_eq!(
        suspended(recorded, [[true; 2]; 2], false),
        [blue.clone(), green]
    );
    assert_eq!(
        suspended(recorded, [[true; 2], [true, false]], false),
        [blue]
    );
}
