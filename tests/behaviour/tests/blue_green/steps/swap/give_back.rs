//! Traffic that swap-target-groups gives back: at once, or when the old colour has grown.

use emulator::Aws;
use emulator::ecs::{self, RolloutState};
use harness::driver::{Fault, run};
use serde_json::json;

use super::super::{
    ago, aligned, calls, changed, definitions, edit, failed, going, half, lease, look, open,
    report, timeless, to_half,
};
use behaviour::pair::{counts, secs, set, set_weights, weights};
use behaviour::pass;

use super::{make_unhealthy, swap, weighted};

/// The release was filled to so many tasks that the two which are healthy are too few.
fn short(aws: &mut Aws) {
    edit(aws, |lease| {
        lease["release"]["change"]["desired_count"] = json!(4)
    });
}

/// The same for two minutes, as looks have recorded it.
fn too_few(aws: &mut Aws) {
    short(aws);
    let since = ago(aws, 120);
    edit(aws, |lease| {
        lease["release"]["health"] = json!({"most": 0, "loss": {"since": since}})
    });
}

const SHORT: &str = "2 healthy targets in blue with 50% of the traffic, 3 needed (75% of 4)";
const TOO_FEW: &str =
    "2 healthy targets in blue with 50% of the traffic, 3 needed (75% of 4), for 2m00s";

#[test]
fn one_look_with_too_few_healthy_targets_takes_no_traffic_and_is_remembered() {
    let mut aws = half();
    short(&mut aws);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let first = report(&swap(&driver, json!({})).await);
        assert_eq!(first[1], json!(format!("{SHORT}; 0s of 2m00s")));

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);
        assert_eq!(weights(&aws), [50, 50]);
        let health = timeless(&aws, &open(&aws)["health"]);
        assert_eq!(health, json!({"most": 0, "loss": {"since": "now"}}));

        // Enough are healthy again: the loss is over when that has lasted as long.
        edit(&mut driver.world.aws(), |lease| {
            lease["release"]["change"]["desired_count"] = json!(2)
        });
        let again = report(&swap(&driver, json!({})).await);
        let text = "2 healthy targets in blue, at least 2 needed, again for 0s of 2m00s";
        assert_eq!(again[1], text);
        let aws = driver.world.snapshot();
        let loss = timeless(&aws, &open(&aws)["health"]["loss"]);
        assert_eq!(loss, json!({"since": "now", "recovered_at": "now"}));

        pass(&driver, secs(121)).await;
        let baked = report(&swap(&driver, json!({})).await);
        let summary = baked[1].as_str().unwrap_or_default();
        assert!(summary.starts_with("50% to blue, "), "{baked}");
        let release = open(&driver.world.aws());
        assert_eq!(release["health"], json!({"most": 0}));
    });
}

/// A zone fails: half of the targets of both colours are gone.
#[test]
fn what_both_colours_lose_takes_no_traffic_from_the_new_one() {
    let mut aws = half();
    too_few(&mut aws);
    set(&mut aws, "shop-green", json!({"desiredCount": 4}));
    run(aws, Fault::None, async |driver| {
        let waits = report(&swap(&driver, json!({})).await);
        let text = format!("{SHORT}, while green has 2 of 4; 2m00s of 10m00s");
        assert_eq!(
            (&waits[0], &waits[1]),
            (&json!("in-progress"), &json!(text))
        );
        assert_eq!(weights(&driver.world.aws()), [50, 50]);
    });
}

#[test]
fn a_colour_that_lacks_health_for_two_minutes_loses_its_traffic_in_the_same_look() {
    let mut aws = half();
    too_few(&mut aws);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let back = format!("{TOO_FEW}; traffic restored to blue 0 / green 100");
        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));

        let aws = driver.world.snapshot();

        // The decision, the announcement, the change, that it is made, and the failure.
        assert_eq!(
            changed(&aws, since),
            ["PutItem", "PutItem", "ModifyRule", "PutItem", "PutItem"]
        );
        assert_eq!((weights(&aws), counts(&aws)), ([0, 100], [2, 2]));

        let open = timeless(&aws, &open(&aws));
        assert_eq!(
            open["restoring"],
            json!({"reason": TOO_FEW, "since": "now"})
        );

        let shift =
            json!({"from": weighted(50, 50), "to": weighted(0, 100), "at": "now", "made": true});
        assert_eq!(open["shift"], shift);
        assert_eq!(
            open["failure"],
            json!({"type": "JobFailed", "message": back})
        );
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
    });
}

/// The deployment of the new colour fails, for a reason that has the value of a variable.
fn fails_with(aws: &mut Aws, value: &str) {
    let [new, _] = definitions(aws);
    let mut request = aws.ecs.request_of(&new).expect("registered").clone();
    let environment = json!([{"name": "TOKEN", "value": value}]);
    request["containerDefinitions"][0]["environment"] = environment;
    let answer = ecs::call(aws, "RegisterTaskDefinition", &request).expect("legal");
    let failing = answer["taskDefinition"]["taskDefinitionArn"].clone();
    edit(aws, |lease| {
        lease["release"]["registered"] = failing.clone();
        lease["release"]["change"]["task_definition"] = failing.clone();
    });

    let mut services = aws.ecs.services.values_mut();
    let blue = services.find(|service| service.name == "shop-blue");
    let deployment = &mut blue.expect("a colour").deployments[0];
    deployment.task_definition = failing.as_str().expect("an ARN").to_owned();
    deployment.rollout = RolloutState::Failed;
    deployment.reason = format!("exec {value}: not found");
}

#[test]
fn the_reason_of_a_failed_deployment_is_reported_without_the_values_of_its_environment() {
    let mut aws = half();
    fails_with(&mut aws, "a-value-to-be-masked");
    let [failing, _] = definitions(&aws);

    for step in ["swap-target-groups", "evaluate-canary"] {
        let parameters = match step {
            "evaluate-canary" => json!({ "task_definition": failing }),
            _ => to_half(&failing),
        };
        run(aws.clone(), Fault::None, async |driver| {
            let why = "the deployment of blue failed: exec ***: not found";
            let back = format!("{why}; traffic restored to blue 0 / green 100");
            let answer = look(&driver, step, &parameters).await;
            assert_eq!(report(&answer), failed(&back));
            assert_eq!(open(&driver.world.aws())["restoring"]["reason"], why);
        });
    }
}

#[test]
fn once_the_traffic_goes_back_it_does_although_the_colour_is_fit_again() {
    let mut aws = half();
    let since = ago(&aws, 30);
    edit(&mut aws, |lease| {
        lease["release"]["restoring"] = json!({"reason": "5xx", "since": since})
    });
    run(aws, Fault::None, async |driver| {
        let back = "5xx; traffic restored to blue 0 / green 100";
        assert_eq!(report(&swap(&driver, json!({})).await), failed(back));
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn traffic_that_is_back_is_set_again_only_while_what_is_read_may_be_old() {
    for (secs, expected) in [
        (290, &["PutItem", "ModifyRule", "PutItem", "PutItem"][..]),
        (300, &["PutItem"]),
    ] {
        let mut aws = half();
        let (since, at) = (ago(&aws, 30), ago(&aws, secs));
        edit(&mut aws, |lease| {
            lease["release"]["restoring"] = json!({"reason": "5xx", "since": since});
            lease["release"]["shift"]["at"] = at;
        });
        set_weights(&mut aws, [0, 100]);
        run(aws, Fault::None, async |driver| {
            let calls = calls(&driver);
            let back = "5xx; traffic restored to blue 0 / green 100";
            assert_eq!(report(&swap(&driver, json!({})).await), failed(back));

            let aws = driver.world.snapshot();
            assert_eq!(
                changed(&aws, calls),
                expected,
                "{secs} seconds after the shift"
            );
            assert_eq!(weights(&aws), [0, 100]);
        });
    }
}

/// The old colour has one task where it needs two, and the new one is to lose its traffic.
fn small() -> Aws {
    let mut aws = half();
    set(&mut aws, "shop-green", json!({"desiredCount": 1}));
    let aws = run(aws, Fault::None, async |driver| {
        pass(&driver, secs(150)).await;
        driver.world.snapshot()
    });

    let mut aws = aligned(&aws);
    too_few(&mut aws);
    aws
}

#[test]
fn the_old_colour_grows_before_it_takes_the_traffic_back() {
    run(small(), Fault::None, async |driver| {
        let since = calls(&driver);
        let lacks = "1 of 2 healthy targets that green needs for all of the traffic";
        let grows = format!("{TOO_FEW}; scaling green out to 2 tasks; {lacks}; 0s of 10m00s");
        assert_eq!(report(&swap(&driver, json!({})).await), going(&grows, 50));

        let aws = driver.world.snapshot();
        assert_eq!(
            changed(&aws, since),
            ["PutItem", "PutItem", "UpdateService"]
        );
        assert_eq!(
            (weights(&aws), counts(&aws), &open(&aws)["sized"]),
            ([50, 50], [2, 2], &json!(2))
        );
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");

        let since = calls(&driver);
        let waits = report(&swap(&driver, json!({})).await);
        let text = format!("{TOO_FEW}; {lacks};");
        assert!(waits[0] == "in-progress" && waits[2] == 50, "{waits}");
        assert!(
            waits[1]
                .as_str()
                .is_some_and(|summary| summary.starts_with(&text)),
            "{waits}"
        );

        let aws = driver.world.snapshot();
        assert_eq!(
            (changed(&aws, since), weights(&aws)),
            (Vec::new(), [50, 50])
        );

        pass(&driver, secs(180)).await;
        let back = format!("{TOO_FEW}; traffic restored to blue 0 / green 100");
        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn weights_that_are_set_by_hand_while_the_old_colour_grows_stay() {
    for by_hand in [[10, 90], [0, 50], [100, 0]] {
        run(small(), Fault::None, async |driver| {
            assert_eq!(report(&swap(&driver, json!({})).await)[0], "in-progress");

            set_weights(&mut driver.world.aws(), by_hand);
            let since = calls(&driver);
            let [blue, green] = by_hand;
            let text = format!(
                "{TOO_FEW}; the weights were set to blue {blue} / green {green} outside this \
                release and are left unchanged"
            );

            assert_eq!(report(&swap(&driver, json!({})).await), failed(&text));

            let aws = driver.world.snapshot();
            assert_eq!(
                (weights(&aws), changed(&aws, since)),
                (by_hand, vec!["PutItem".to_owned()])
            );
            assert_eq!(
                open(&aws)["failure"],
                json!({"type": "JobFailed", "message": text})
            );
        });
    }
}

#[test]
fn weights_that_a_hung_invocation_of_this_release_set_are_given_back() {
    let mut aws = half();
    let since = ago(&aws, 30);
    edit(&mut aws, |lease| {
        lease["release"]["restoring"] = json!({"reason": "5xx", "since": since});
        lease["release"]["shift"]["known"] = json!([weighted(20, 80)]);
    });
    set_weights(&mut aws, [20, 80]);
    run(aws, Fault::None, async |driver| {
        let back = "5xx; traffic restored to blue 0 / green 100";
        assert_eq!(report(&swap(&driver, json!({})).await), failed(back));
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

/// The announcement of the old colour's size does not let an invocation set them late.
#[test]
fn weights_that_were_set_long_before_the_return_are_an_operators_after_it() {
    let mut aws = small();
    make_unhealthy(&mut aws, "shop-blue");
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(35)).await;
        swap(&driver, json!({})).await;
        assert_eq!(weights(&driver.world.aws()), [0, 100]);

        // So long after the return that no read is older than it.
        let returned_at = ago(&driver.world.aws(), 400);
        edit(&mut driver.world.aws(), |lease| {
            let release = lease["release"].as_object_mut().expect("a release");
            release["shift"]["at"] = returned_at;
            release.remove("failure");
        });
        set_weights(&mut driver.world.aws(), [50, 50]);
        let text = "0 healthy targets in blue with 50% of the traffic, 3 needed (75% of 4); the \
            weights were set to blue 50 / green 50 outside this release and are left unchanged";

        assert_eq!(report(&swap(&driver, json!({})).await), failed(text));
        assert_eq!(weights(&driver.world.aws()), [50, 50]);
    });
}

#[test]
fn an_old_colour_that_does_not_grow_gets_its_traffic_back_after_ten_minutes() {
    let mut aws = small();
    edit(&mut aws, |lease| lease["release"]["sized"] = json!(2));
    set(&mut aws, "shop-green", json!({"desiredCount": 2}));

    for (waited, is_back) in [(590, false), (600, true)] {
        let mut aws = aws.clone();
        let since = ago(&aws, waited);
        edit(&mut aws, |lease| {
            lease["release"]["restoring"] = json!({"reason": "5xx", "since": since})
        });
        run(aws, Fault::None, async |driver| {
            let answer = swap(&driver, json!({})).await;
            assert_eq!(
                weights(&driver.world.aws()),
                if is_back { [0, 100] } else { [50, 50] },
                "{answer}"
            );
        });
    }
}

#[test]
fn traffic_goes_back_at_once_when_only_the_old_colour_serves() {
    let mut aws = small();
    make_unhealthy(&mut aws, "shop-blue");
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(35)).await;
        let since = calls(&driver);
        let reason = "0 healthy targets in blue with 50% of the traffic, 3 needed (75% of 4)";
        let back = format!("{reason}; traffic restored to blue 0 / green 100");

        assert_eq!(report(&swap(&driver, json!({})).await), failed(&back));

        let aws = driver.world.snapshot();
        let expected = [
            "PutItem",
            "PutItem",
            "UpdateService",
            "PutItem",
            "ModifyRule",
            "PutItem",
            "PutItem",
        ];
        assert_eq!(changed(&aws, since), expected);
        assert_eq!((weights(&aws), counts(&aws)[1]), ([0, 100], 2));
    });
}
