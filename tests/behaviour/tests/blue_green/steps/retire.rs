//! The retirement of the old colour: drained, scale-in given back, stopped.

use std::sync::OnceLock;

use emulator::{Aws, ecs, elb};
use harness::demo::CLUSTER;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::{
    ago, aligned, calls, changed, definitions, edit, failed, going, lease, look, open, overtaken,
    report, retire, shifted, timeless, whole,
};
use behaviour::pair::{self, counts, secs, set, set_weights, suspend, suspensions};
use behaviour::pass;

const STEP: &str = "update-service";

/// Blue has all of the traffic, for longer than a retirement looks back for requests to green.
fn quiet() -> Aws {
    static SCENE: OnceLock<Aws> = OnceLock::new();

    let scene = SCENE.get_or_init(|| {
        run(whole(), Fault::None, async |driver| {
            pass(&driver, secs(420)).await;
            driver.world.snapshot()
        })
    });
    aligned(scene)
}

/// All of the traffic left green this many seconds ago.
pub(super) fn left(secs: i64) -> Aws {
    let mut aws = quiet();
    let at = ago(&aws, secs);
    edit(&mut aws, |lease| lease["release"]["shift"]["at"] = at);
    aws
}

/// The same after scale-in was given back, so that green is stopped next.
pub(super) fn due(secs: i64) -> Aws {
    let mut aws = left(secs);
    for name in pair::COLOURS {
        suspend(&mut aws, name, false);
    }
    edit(&mut aws, |lease| {
        lease["release"]["scale_in_suspended"] = json!(false)
    });
    aws
}

/// Status and summary of one look with other minutes to drain.
fn first_look(aws: Aws, drain: Value) -> Value {
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let mut parameters = retire(&new);
        parameters["drain_minutes"] = drain;
        report(&look(&driver, STEP, &parameters).await)
    })
}

#[test]
fn scale_in_is_given_back_before_the_old_colour_stops() {
    let mut aws = left(900);
    edit(&mut aws, |lease| {
        let blue = &mut lease["release"]["prior"]["pair"]["blue"];
        blue["suspended"] = json!(true);
        blue["schedule_suspended"] = json!(true);
    });
    assert_eq!(suspensions(&aws), [true, true]);

    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let answer = look(&driver, STEP, &retire(&new)).await;

        assert_eq!(
            report(&answer),
            going("scale-in re-enabled for both colours", 40)
        );

        let aws = driver.world.snapshot();

        // Blue's was suspended before the release, and stays so.
        assert_eq!(changed(&aws, since), ["PutItem", "RegisterScalableTarget"]);
        assert_eq!((suspensions(&aws), counts(&aws)), ([true, false], [2, 2]));
        assert_eq!(open(&aws)["scale_in_suspended"], json!(false));
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");

        // A bound of the count is kept by then.
        let since = calls(&driver);
        let waits = report(&look(&driver, STEP, &retire(&new)).await);
        assert!(
            waits[1]
                .as_str()
                .is_some_and(|text| text.contains("for earlier invocations to time out")),
            "{waits}"
        );
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn scheduled_scaling_that_an_older_lease_does_not_have_stays_suspended() {
    let mut aws = left(900);
    edit(&mut aws, |lease| {
        for colour in ["blue", "green"] {
            let recorded = lease["release"]["prior"]["pair"][colour].as_object_mut();
            recorded.expect("a colour").remove("schedule_suspended");
        }
    });
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let answer = look(&driver, STEP, &retire(&new)).await;
        assert_eq!(
            report(&answer),
            going("scale-in re-enabled for both colours", 40)
        );

        let aws = driver.world.snapshot();
        let found = pair::COLOURS.map(|name| {
            let target = aws.autoscaling.target_of(CLUSTER, name).expect("it scales");
            [target.suspended.dynamic_in, target.suspended.scheduled]
        });
        assert_eq!(found, [[false, true]; 2]);
    });
}

#[test]
fn the_old_colour_is_announced_to_stop_stops_and_is_waited_for() {
    run(due(900), Fault::None, async |driver| {
        // Application Auto Scaling compares the count with its bounds soon after the registration.
        pass(&driver, secs(61)).await;
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);

        assert_eq!(
            report(&look(&driver, STEP, &retire(&new)).await),
            going("stopping the tasks of green", 75)
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "UpdateService"]);
        assert_eq!(counts(&aws), [2, 0]);
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");

        let since = calls(&driver);
        assert_eq!(
            report(&look(&driver, STEP, &retire(&new)).await),
            going("100% to blue; green stops 2 tasks", 90)
        );

        pass(&driver, secs(240)).await;
        let done = json!([
            "done",
            "green is retired, blue serves with 2 tasks",
            {"TaskDefinitionArn": new},
        ]);
        assert_eq!(report(&look(&driver, STEP, &retire(&new)).await), done);

        let own = |write: &String| write != "PutItem";
        assert_eq!(
            changed(&driver.world.aws(), since)
                .into_iter()
                .filter(own)
                .collect::<Vec<_>>(),
            Vec::<String>::new()
        );
    });
}

#[test]
fn tasks_that_do_not_stop_fail_no_retirement() {
    let mut aws = due(900);
    ecs::protect(&mut aws, (CLUSTER, "shop-green"), secs(48 * 3_600));
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(61)).await;
        let [new, _] = definitions(&driver.world.aws());
        assert_eq!(
            report(&look(&driver, STEP, &retire(&new)).await),
            going("stopping the tasks of green", 75)
        );
        pass(&driver, secs(400)).await;

        let stopped_for = async |secs| {
            {
                let mut aws = driver.world.aws();
                let at = ago(&aws, secs);
                edit(&mut aws, |lease| lease["changed_at"] = at);
            }
            report(&look(&driver, STEP, &retire(&new)).await)
        };
        let waits = going("100% to blue; green stops 2 tasks", 90);
        assert_eq!(stopped_for(4_490).await, waits);
        let left = "green is retired, blue serves with 2 tasks; 2 tasks of green still run, as \
                    those with scale-in protection do";
        assert_eq!(
            stopped_for(4_500).await,
            json!(["done", left, {"TaskDefinitionArn": new}])
        );
        assert_eq!(counts(&driver.world.aws()), [2, 0]);
    });
}

#[test]
fn the_old_colour_drains_for_five_minutes_unless_the_action_sets_another_time() {
    let is_drained = |secs, drain: Value| {
        first_look(left(secs), drain)[1] == "scale-in re-enabled for both colours"
    };
    assert_eq!(
        first_look(left(290), json!(null)),
        going("100% to blue; green drains for 4m50s of 5m00s", 25)
    );
    assert!(is_drained(300, json!(null)));
    assert_eq!(
        first_look(left(410), json!(7)),
        going("100% to blue; green drains for 6m50s of 7m00s", 25)
    );
    assert!(is_drained(420, json!(7)) && is_drained(61, json!(0)));
}

#[test]
fn clients_that_the_rule_binds_are_waited_for_up_to_an_hour() {
    let sticky = |secs: i64, enabled: bool, bound: u32| {
        let mut aws = left(secs);
        let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [100, 0]));
        let config = json!({"Enabled": enabled, "DurationSeconds": bound});
        actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] = config;
        elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");
        aws
    };
    let drains = |text: &str| going(&format!("100% to blue; green drains for {text}"), 25);
    let given_back = going("scale-in re-enabled for both colours", 40);

    assert_eq!(
        first_look(sticky(590, true, 600), json!(0)),
        drains("9m50s of 10m00s")
    );
    assert_eq!(first_look(sticky(600, true, 600), json!(0)), given_back);
    assert_eq!(
        first_look(sticky(600, true, 600), json!(11)),
        drains("10m00s of 11m00s")
    );
    assert_eq!(
        first_look(sticky(3590, true, 604_800), json!(0)),
        drains("59m50s of 1h00m")
    );
    assert_eq!(
        first_look(sticky(3600, true, 604_800), json!(0)),
        given_back
    );
    assert_eq!(first_look(sticky(90, false, 600), json!(0)), given_back);
}

#[test]
fn an_old_colour_that_has_traffic_again_is_not_stopped() {
    for by_hand in [[0, 100], [50, 50], [99, 1]] {
        let mut aws = left(900);
        set_weights(&mut aws, by_hand);
        run(aws, Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            let since = calls(&driver);
            let text = format!(
                "green cannot be retired: weights are blue {} / green {}, expected all of the \
                 traffic on blue, set by this release; run swap-target-groups to 100% before this \
                 action",
                by_hand[0], by_hand[1]
            );

            assert_eq!(
                report(&look(&driver, STEP, &retire(&new)).await),
                failed(&text)
            );

            let aws = driver.world.snapshot();
            assert_eq!(
                (counts(&aws), changed(&aws, since)),
                ([2, 2], vec!["PutItem".to_owned()])
            );
            assert_eq!(
                open(&aws)["failure"],
                json!({"type": "JobFailed", "message": text})
            );
        });
    }
}

#[test]
fn a_count_that_was_raised_by_hand_is_stopped_too() {
    let mut aws = left(900);
    pair::COLOURS
        .iter()
        .for_each(|name| suspend(&mut aws, name, false));
    set(&mut aws, "shop-green", json!({"desiredCount": 5}));

    assert_eq!(
        first_look(aws, json!(0)),
        going("stopping the tasks of green", 75)
    );
}

#[test]
fn a_look_that_another_invocation_overtook_fails_nothing() {
    let mut aws = left(900);
    set_weights(&mut aws, [50, 50]);
    edit(&mut aws, |lease| {
        lease["release"]["shift"]["to"] = json!({"blue": 50, "green": 50})
    });
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let answer = overtaken(&driver, STEP, &retire(&new), |aws| shifted(aws, [100, 0])).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        assert_eq!(open(&driver.world.aws())["failure"], json!(null));
    });
}
