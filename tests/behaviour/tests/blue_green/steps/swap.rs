//! Traffic moved, confirmed, watched and given back by swap-target-groups.

use emulator::{Aws, ecs};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::{
    ago, calls, changed, definitions, edit, failed, filled, going, half, lease, look, look_after,
    open, overtaken, report, revision, shifted, timeless, to_half,
};
use behaviour::pair::{counts, secs, set, set_weights, weights};
use behaviour::pass;

const STEP: &str = "swap-target-groups";

fn weighted(blue: i64, green: i64) -> Value {
    json!({"blue": blue, "green": green})
}

async fn swap(driver: &Driver, more: Value) -> Value {
    let [new, _] = definitions(&driver.world.aws());
    let mut parameters = to_half(&new);
    parameters
        .as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    look(driver, STEP, &parameters).await
}

/// All of a colour's tasks stop answering their load balancer.
fn sicken(aws: &mut Aws, colour: &str) {
    let service = aws
        .ecs
        .service_named(CLUSTER, colour)
        .expect("a colour")
        .arn
        .clone();
    let tasks: Vec<String> = aws
        .ecs
        .tasks_of(&service)
        .map(|task| task.arn.clone())
        .collect();
    tasks
        .iter()
        .for_each(|task| ecs::set_answering(aws, task, false));
}

/// The release was filled to so many tasks that the two which are healthy are too few.
fn too_few(aws: &mut Aws) {
    edit(aws, |lease| {
        lease["release"]["change"]["desired_count"] = json!(4)
    });
}

const TOO_FEW: &str = "2 healthy targets in blue with 50% of the traffic, 3 needed (75% of 4)";

#[test]
fn weights_are_announced_then_set_then_known_to_be_set() {
    run(filled(), Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("50% to blue, baking begins", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "ModifyRule", "PutItem"]);
        assert_eq!(weights(&aws), [50, 50]);

        let shift =
            json!({"from": weighted(0, 100), "to": weighted(50, 50), "at": "now", "made": true});
        assert_eq!(timeless(&aws, &open(&aws)["shift"]), shift);
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
    });
}

#[test]
fn the_first_shift_waits_for_what_an_earlier_step_may_still_do() {
    let after = |secs| {
        let mut aws = filled();
        let at = ago(&aws, secs);
        edit(&mut aws, |lease| lease["changed_at"] = at);

        run(aws, Fault::None, async |driver| {
            let since = calls(&driver);
            let answer = swap(&driver, json!({})).await;
            (report(&answer), changed(&driver.world.aws(), since).len())
        })
    };
    let waits = |left: &str| {
        let why = format!("waiting {left} for earlier invocations to time out");
        going(
            &format!("0% to blue, {why}; 2 healthy targets in blue, at least 2 needed"),
            0,
        )
    };

    assert_eq!(after(0), (waits("1m00s"), 0));
    assert_eq!(after(59), (waits("1s"), 0));
    assert_eq!(after(60), (going("50% to blue, baking begins", 0), 3));
}

#[test]
fn a_shift_that_was_announced_and_made_is_confirmed_and_bakes_from_then_on() {
    let mut aws = half();
    edit(&mut aws, |lease| {
        lease["release"]["shift"]["made"] = json!(false)
    });
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("weights are blue 50 / green 50", 0)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);

        let shift =
            json!({"from": weighted(0, 100), "to": weighted(50, 50), "at": "now", "made": true});
        assert_eq!(timeless(&aws, &open(&aws)["shift"]), shift);
    });
}

#[test]
fn a_shift_that_was_announced_and_not_made_is_made() {
    let mut aws = half();
    edit(&mut aws, |lease| {
        lease["release"]["shift"]["made"] = json!(false)
    });
    set_weights(&mut aws, [0, 100]);
    run(aws, Fault::None, async |driver| {
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going("50% to blue, baking begins", 0)
        );
        assert_eq!(weights(&driver.world.aws()), [50, 50]);
    });
}

#[test]
fn parameters_of_the_action_decide_how_long_and_how_healthy_a_bake_must_be() {
    let mut aws = half();
    let set_at = ago(&aws, 100);
    edit(&mut aws, |lease| lease["release"]["shift"]["at"] = set_at);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let all = |more: Value| {
            let mut all = json!({"steps": [50, 100]});
            all.as_object_mut()
                .expect("an object")
                .extend(more.as_object().expect("an object").clone());
            all
        };
        let summary = |answer: &Value| answer["summary"].as_str().unwrap_or_default().to_owned();
        let found = summary(&swap(&driver, all(json!({}))).await);

        assert!(
            found.ends_with("of 2m00s baked; 2 healthy targets in blue, at least 2 needed"),
            "{found}"
        );

        let found = summary(
            &swap(
                &driver,
                all(json!({"step_minutes": 3, "minimum_healthy_percent": 50})),
            )
            .await,
        );
        assert!(
            found.ends_with("of 3m00s baked; 2 healthy targets in blue, at least 1 needed"),
            "{found}"
        );

        let found = summary(&swap(&driver, json!({"bake_minutes": 4})).await);
        assert!(found.contains("of 4m00s baked"), "{found}");
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_shift_that_has_baked_is_done_and_names_the_colour_that_is_live_now() {
    let mut aws = half();
    let set_at = ago(&aws, 600);
    edit(&mut aws, |lease| lease["release"]["shift"]["at"] = set_at);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let summary = "50% to blue, baked 10m00s; 2 healthy targets in blue, at least 2 needed";
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            json!(["done", summary, {"LiveColour": "blue"}])
        );
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn a_colour_that_is_not_fit_is_waited_for_since_the_action_began() {
    let mut aws = filled();
    edit(&mut aws, |lease| {
        lease["release"]["change"]["desired_count"] = json!(3)
    });
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let waits = look_after(&driver, STEP, &to_half(&new), 599).await;
        let lacks = "desired count is 2, expected 3 or more; 2 of 3 targets healthy";
        let text = format!(
            "0% to blue, blue is not ready for 50%: {lacks}; 9m59s of 10m00s; 2 healthy targets \
            in blue, at least 3 needed"
        );

        assert_eq!(report(&waits), going(&text, 0));
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());

        let fails = look_after(&driver, STEP, &to_half(&new), 600).await;
        let text = format!(
            "blue is not ready for traffic as {} after 10m00s: {lacks}; no traffic was moved; \
            check the tasks and targets of blue",
            revision(&new)
        );
        assert_eq!(report(&fails), failed(&text));

        let aws = driver.world.snapshot();
        assert_eq!(
            open(&aws)["failure"],
            json!({"type": "JobFailed", "message": text})
        );
        assert_eq!(weights(&aws), [0, 100]);
    });
}

#[test]
fn weights_of_another_writer_fail_the_action_for_good() {
    let mut aws = half();
    set_weights(&mut aws, [10, 90]);
    run(aws, Fault::None, async |driver| {
        let since = calls(&driver);
        let text = "overridden: the weights are blue 10 / green 90, expected blue 50 / green 50; \
            another writer changed the listener rule, find it, then retry the release";
        assert_eq!(report(&swap(&driver, json!({})).await), failed(text));

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem"]);
        assert_eq!(
            open(&aws)["failure"],
            json!({"type": "JobFailed", "message": text, "cause": "overridden"})
        );

        // Also when the weights are as before again.
        set_weights(&mut driver.world.aws(), [50, 50]);
        assert_eq!(report(&swap(&driver, json!({})).await), failed(text));
    });
}

#[test]
fn a_colour_that_loses_its_health_loses_its_traffic_in_the_same_look() {
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
    too_few(&mut aws);
    set(&mut aws, "shop-green", json!({"desiredCount": 1}));
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(150)).await;
        driver.world.snapshot()
    })
}

#[test]
fn the_old_colour_grows_before_it_takes_the_traffic_back() {
    run(small(), Fault::None, async |driver| {
        let since = calls(&driver);
        assert_eq!(
            report(&swap(&driver, json!({})).await),
            going(&format!("{TOO_FEW}; green grows to 2 tasks first"), 50)
        );

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
        let text =
            format!("{TOO_FEW}; 1 of 2 healthy targets that green needs for all of the traffic;");
        assert!(waits[0] == "going" && waits[2] == 50, "{waits}");
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
            assert_eq!(report(&swap(&driver, json!({})).await)[0], "going");

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
    sicken(&mut aws, "shop-blue");
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

#[test]
fn a_look_that_another_invocation_overtook_fails_nothing() {
    run(half(), Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let answer = overtaken(&driver, STEP, &to_half(&new), |aws| shifted(aws, [70, 30])).await;
        assert_eq!(answer["status"], "going", "{answer}");

        let aws = driver.world.snapshot();
        assert_eq!(
            (&open(&aws)["failure"], weights(&aws)),
            (&json!(null), [70, 30])
        );
    });
}
