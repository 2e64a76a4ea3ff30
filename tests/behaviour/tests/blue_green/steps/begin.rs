//! How a release of a pair begins: both colours are recorded, and the colour that is live is known.

use emulator::{Aws, elb};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::{calls, changed, edit, free, going, half, look, open, report, revision, timeless};
use behaviour::pair::{self, groups, set_weights, suspend, weights};
use behaviour::service;

fn begin(rule: &str) -> Value {
    json!({"strategy": "blue-green", "rule": rule})
}

/// What is recorded of the account in which blue has other percentages and is suspended, and green
/// has all of the traffic with weight 7.
fn prior(aws: &Aws) -> Value {
    let (rule, [blue, green]) = (pair::rule(aws), groups(aws));
    let [ran_blue, ran_green] = pair::definitions(aws);
    let [found_blue, found_green] = pair::COLOURS.map(|name| {
        let service = service(aws, CLUSTER, name);
        json!({
            "task_definition": service["taskDefinition"],
            "deployment": service["deployments"][0]["id"],
        })
    });
    let usual = json!({"minimum_healthy": 100, "maximum": 200});
    json!({
        "task_definition": ran_green, "desired_count": 2, "percentages": usual,
        "recorded_at": "now",
        "pair": {
            "rule": rule, "live": "green",
            "blue": {
                "target_group": blue, "weight": 0, "task_definition": ran_blue,
                "desired_count": 0, "found": found_blue,
                "percentages": {"minimum_healthy": 50, "maximum": 150}, "suspended": true,
                "schedule_suspended": true,
            },
            "green": {
                "target_group": green, "weight": 7, "task_definition": ran_green,
                "desired_count": 2, "found": found_green,
                "percentages": usual, "suspended": false, "schedule_suspended": false,
            },
        },
    })
}

#[test]
fn both_colours_are_recorded_before_anything_is_changed() {
    let mut aws = free();
    suspend(&mut aws, "shop-blue", true);
    set_weights(&mut aws, [0, 7]);
    pair::set(
        &mut aws,
        "shop-blue",
        json!({"deploymentConfiguration": {"minimumHealthyPercent": 50, "maximumPercent": 150}}),
    );

    let (rule, [_, ran_green]) = (pair::rule(&aws), pair::definitions(&aws));
    let expected = prior(&aws);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        let aws = driver.world.snapshot();
        let summary = format!(
            "green is live as {} with 2 tasks (weights blue 0 / green 7); blue is filled next",
            revision(&ran_green)
        );
        let outputs = json!({
            "PriorTaskDefinitionArn": ran_green,
            "LiveColour": "green",
            "IdleColour": "blue",
        });

        assert_eq!(report(&answer), json!(["done", summary, outputs]));
        assert_eq!(changed(&aws, since), ["TransactWriteItems", "PutItem"]);

        let open = open(&aws);
        assert_eq!(timeless(&aws, &open["prior"]), expected);
        assert_eq!(
            (&open["execution"], &open["state"]),
            (&json!("jane-1"), &json!("open"))
        );

        // A second look finds what was recorded.
        let since = calls(&driver);
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        assert_eq!(report(&answer), json!(["done", summary, outputs]));
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_colour_that_does_not_scale_is_recorded_without_a_suspension() {
    let mut aws = free();
    aws.autoscaling
        .targets
        .remove(&format!("service/{CLUSTER}/shop-blue"));
    let rule = pair::rule(&aws);
    run(aws, Fault::None, async |driver| {
        look(&driver, "begin-release", &begin(&rule)).await;
        let recorded = open(&driver.world.aws())["prior"]["pair"].clone();
        assert_eq!(
            [
                &recorded["blue"]["suspended"],
                &recorded["green"]["suspended"]
            ],
            [&json!(null), &json!(false)]
        );
    });
}

#[test]
fn scale_in_that_the_last_release_owes_is_recorded_as_it_must_become() {
    for (owed, expected) in [
        (
            json!({"owed_blue": false, "owed_blue_schedule": false}),
            [false, true],
        ),
        (
            json!({"owed_green": false, "owed_green_schedule": false}),
            [true, false],
        ),
        (
            json!({"owed_blue": true, "owed_green": false, "owed_green_schedule": false}),
            [true, false],
        ),
        // A lease from before scheduled scaling was recorded: it is as the release finds it.
        (json!({"owed_blue": false}), [false, true]),
        (json!({}), [true, true]),
    ] {
        let mut aws = free();
        pair::COLOURS
            .iter()
            .for_each(|name| suspend(&mut aws, name, true));
        edit(&mut aws, |lease| {
            lease["settled"]
                .as_object_mut()
                .expect("left behind")
                .extend(owed.as_object().expect("an object").clone());
        });
        let rule = pair::rule(&aws);
        run(aws, Fault::None, async |driver| {
            look(&driver, "begin-release", &begin(&rule)).await;
            let recorded = open(&driver.world.aws())["prior"]["pair"].clone();
            let schedules =
                ["blue", "green"].map(|colour| recorded[colour]["schedule_suspended"] == true);
            let kept =
                ["owed_blue_schedule", "owed_green_schedule"].map(|name| owed.get(name).is_none());
            assert_eq!(schedules, kept, "{owed}");
            let recorded = ["blue", "green"].map(|colour| recorded[colour]["suspended"].clone());

            assert_eq!(
                recorded,
                expected.map(|suspended| json!(suspended)),
                "{owed}"
            );
        });
    }
}

#[test]
fn ambiguous_weights_are_set_to_what_the_last_release_left() {
    for by_hand in [[60, 40], [0, 0]] {
        let mut aws = free();
        set_weights(&mut aws, by_hand);
        let rule = pair::rule(&aws);
        run(aws, Fault::None, async |driver| {
            let since = calls(&driver);
            let answer = look(&driver, "begin-release", &begin(&rule)).await;
            let [blue, green] = by_hand;
            let summary = format!(
                "repaired the weights: were blue {blue} / green {green}, restored to blue 0 / \
                green 100 as the last release left them"
            );

            assert_eq!(report(&answer), going(&summary, 50));

            let aws = driver.world.snapshot();
            assert_eq!(
                changed(&aws, since),
                [
                    "TransactWriteItems",
                    "PutItem",
                    "PutItem",
                    "ModifyRule",
                    "PutItem"
                ]
            );
            assert_eq!(weights(&aws), [0, 100]);

            let expected = json!({
                "from": {"blue": blue, "green": green}, "to": {"blue": 0, "green": 100},
                "at": "now", "made": true,
            });
            assert_eq!(timeless(&aws, &open(&aws)["shift"]), expected);
            assert_eq!(open(&aws)["prior"]["pair"]["live"], "green");

            let answer = look(&driver, "begin-release", &begin(&rule)).await;
            assert_eq!(report(&answer)[0], "done");
        });
    }
}

#[test]
fn what_a_release_of_other_services_left_does_not_show_which_colour_is_live() {
    let mut aws = free();
    set_weights(&mut aws, [60, 40]);
    edit(&mut aws, |lease| {
        let services = json!({"blue": "shop-green", "green": "shop-blue"});
        lease["settled"]["rule"]["services"] = services;
    });
    let rule = pair::rule(&aws);
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        assert_eq!(answer["type"], "ConfigurationError", "{answer}");

        let message = answer["message"].as_str().unwrap_or_default();
        let start = "the weights are blue 60 / green 40 and no earlier release recorded";
        assert!(message.starts_with(start), "{message}");
        assert_eq!(weights(&driver.world.aws()), [60, 40]);
    });
}

#[test]
fn weights_that_were_reset_to_the_empty_colour_are_set_back() {
    let mut aws = free();
    set_weights(&mut aws, [100, 0]);
    let (rule, [_, ran_green]) = (pair::rule(&aws), pair::definitions(&aws));
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        let summary = "repaired the weights: were blue 100 / green 0, restored to blue 0 / green \
            100 as the last release left them";
        assert_eq!(report(&answer), going(summary, 50));

        let aws = driver.world.snapshot();
        let open = open(&aws);
        assert_eq!(weights(&aws), [0, 100]);
        assert_eq!(open["prior"]["pair"]["live"], "green");
        assert_eq!(open["repaired"], json!({"blue": 100, "green": 0}));

        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        let summary = format!(
            "green is live as {} with 2 tasks (weights blue 0 / green 100); blue is filled next; \
            the weights were blue 100 / green 0 and were repaired",
            revision(&ran_green)
        );
        assert_eq!(report(&answer)[1], summary);
    });
}

#[test]
fn an_empty_colour_that_no_release_left_is_not_called_live() {
    let mut aws = free();
    set_weights(&mut aws, [100, 0]);
    edit(&mut aws, |lease| {
        lease.as_object_mut().expect("an object").remove("settled");
    });
    let rule = pair::rule(&aws);
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        assert_eq!(answer["type"], "ConfigurationError", "{answer}");

        let message = answer["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("but blue has no tasks, and green has some"),
            "{message}"
        );
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
    });
}

#[test]
fn the_rule_decides_which_colour_is_live_whatever_the_last_release_left() {
    let mut aws = free();
    edit(&mut aws, |lease| {
        lease["settled"] = json!({"live": "blue", "blue": 100, "green": 0})
    });
    let rule = pair::rule(&aws);
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        assert_eq!(answer["outputVariables"]["LiveColour"], "green", "{answer}");
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn a_rule_with_two_groups_of_one_colour_is_refused() {
    let mut aws = free();
    let group = elb::create_target_group(
        &mut aws,
        &json!({"Name": "third", "Port": 80, "Protocol": "HTTP", "TargetType": "ip"}),
    );
    let group = group.expect("legal")["TargetGroupArn"].clone();
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 100]));
    let named = actions[0]["ForwardConfig"]["TargetGroups"]
        .as_array_mut()
        .expect("a list");
    named.push(json!({"TargetGroupArn": group, "Weight": 0}));
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");

    let mut balancers = service(&aws, CLUSTER, "shop-blue")["loadBalancers"].clone();
    let mut another = balancers[0].clone();
    another["targetGroupArn"] = group;
    balancers.as_array_mut().expect("a list").push(another);
    pair::set(&mut aws, "shop-blue", json!({ "loadBalancers": balancers }));
    run(aws, Fault::None, async |driver| {
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        assert_eq!(answer["type"], "ConfigurationError", "{answer}");

        let message = answer["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("several target groups of service `shop-blue`"),
            "{message}"
        );
        assert_eq!(
            invariants::ledger_reader::holder(&driver.world.aws(), CLUSTER, SHOP),
            None
        );
    });
}

#[test]
fn a_delivery_that_comes_late_sets_no_weights() {
    let aws = half();
    let rule = pair::rule(&aws);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let answer = look(&driver, "begin-release", &begin(&rule)).await;
        assert_eq!(answer["status"], "done", "{answer}");

        let aws = driver.world.snapshot();
        assert_eq!(
            (weights(&aws), changed(&aws, since)),
            ([50, 50], Vec::new())
        );
    });
}

#[test]
fn a_deployment_of_either_colour_by_hand_is_waited_for() {
    for (name, other) in [("shop-blue", "shop-green"), ("shop-green", "shop-blue")] {
        let mut aws = free();
        let definition = service(&aws, CLUSTER, other)["taskDefinition"].clone();
        pair::set(
            &mut aws,
            name,
            json!({"taskDefinition": definition, "desiredCount": 2}),
        );

        let rule = pair::rule(&aws);
        run(aws, Fault::None, async |driver| {
            let answer = look(&driver, "begin-release", &begin(&rule)).await;
            let summary = answer["summary"].as_str().unwrap_or_default();
            assert!(
                answer["status"] == "in-progress"
                    && summary.starts_with("waiting for a deployment started outside Slipway"),
                "{name}: {answer}"
            );
            assert_eq!(
                invariants::ledger_reader::holder(&driver.world.aws(), CLUSTER, SHOP),
                None
            );
        });
    }
}
