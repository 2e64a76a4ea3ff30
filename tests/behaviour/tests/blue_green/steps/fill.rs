//! The fill of the idle colour and the size of the old one.

use emulator::Aws;
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::{
    begun, calls, changed, definitions, edit, failed, fill, going, half, lease, look, look_after,
    open, report, retire, revision, size, timeless, whole,
};
use behaviour::pair::{bound, counts, secs, set, suspend, suspensions};
use behaviour::{pass, service};

const SUSPENDED: &str = "scale-in is suspended on both colours during the release";

/// The scene with scale-in suspended, so that the next look fills.
fn suspended() -> Aws {
    let mut aws = begun();
    edit(&mut aws, |lease| {
        lease["release"]["scale_in_suspended"] = json!(true)
    });
    suspend(&mut aws, "shop-blue", true);
    suspend(&mut aws, "shop-green", true);
    aws
}

#[test]
fn scale_in_is_suspended_before_the_idle_colour_is_filled() {
    run(begun(), Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let answer = look(&driver, "update-service", &fill(&new)).await;

        assert_eq!(report(&answer), going(SUSPENDED, 0));

        let aws = driver.world.snapshot();
        assert_eq!(
            changed(&aws, since),
            [
                "PutItem",
                "RegisterScalableTarget",
                "RegisterScalableTarget"
            ]
        );
        assert_eq!((suspensions(&aws), counts(&aws)), ([true, true], [0, 2]));

        let open = open(&aws);
        assert_eq!(
            (&open["scale_in_suspended"], &open["change"]),
            (&json!(true), &json!(null))
        );
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
    });
}

/// The next look of a fill changes nothing, also not percentages that another writer set.
async fn only_looks(driver: &Driver, new: &str, deployment: &Value) {
    let others = json!({"minimumHealthyPercent": 100, "maximumPercent": 150});
    let others = json!({"deploymentConfiguration": others});
    set(&mut driver.world.aws(), "shop-blue", others);

    let since = calls(driver);
    let answer = look(driver, "update-service", &fill(new)).await;
    assert_eq!(
        (&answer["status"], &answer["externalExecutionId"]),
        (&json!("in-progress"), deployment)
    );
    assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
}

#[test]
fn the_idle_colour_is_filled_to_the_size_of_the_live_one() {
    let mut aws = suspended();
    let percentages = json!({"minimum_healthy": 50, "maximum": 150});
    edit(&mut aws, |lease| {
        lease["release"]["prior"]["pair"]["blue"]["percentages"] = percentages.clone();
    });
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let answer = look(&driver, "update-service", &fill(&new)).await;
        let summary = format!(
            "deploying {} to 2 tasks; at least 1 healthy, at most 3 running",
            revision(&new)
        );

        assert_eq!(report(&answer), going(&summary, 0));

        let aws = driver.world.snapshot();
        assert_eq!(
            changed(&aws, since),
            ["PutItem", "UpdateService", "PutItem"]
        );

        let (blue, lease) = (service(&aws, CLUSTER, "shop-blue"), lease(&aws));
        let deployment = &blue["deployments"][0]["id"];
        let change = json!({
            "task_definition": new,
            "percentages": percentages,
            "desired_count": 2,
            "deployment": deployment,
        });

        assert_eq!(lease["release"]["change"], change);
        assert_eq!(timeless(&aws, &lease["changed_at"]), "now");
        assert_eq!(&answer["externalExecutionId"], deployment);
        assert_eq!(
            (&blue["taskDefinition"], &blue["desiredCount"]),
            (&json!(new), &json!(2))
        );

        let bounds = &blue["deploymentConfiguration"];
        assert_eq!(
            (&bounds["minimumHealthyPercent"], &bounds["maximumPercent"]),
            (&json!(50), &json!(150))
        );
        assert_eq!(counts(&aws)[1], 2);

        only_looks(&driver, &new, deployment).await;
    });
}

#[test]
fn a_suspension_that_was_announced_and_not_made_is_made() {
    for made in [[false, false], [true, false], [false, true]] {
        let mut aws = begun();
        edit(&mut aws, |lease| {
            lease["release"]["scale_in_suspended"] = json!(true)
        });

        for (name, made) in ["shop-blue", "shop-green"].into_iter().zip(made) {
            suspend(&mut aws, name, made);
        }

        run(aws, Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            let answer = look(&driver, "update-service", &fill(&new)).await;
            assert_eq!(report(&answer), going(SUSPENDED, 0));
            assert_eq!(suspensions(&driver.world.aws()), [true, true]);
        });
    }
}

#[test]
fn a_release_with_an_older_lease_fills_while_scheduled_scaling_goes_on() {
    let mut aws = suspended();
    edit(&mut aws, |lease| {
        for colour in ["blue", "green"] {
            let recorded = lease["release"]["prior"]["pair"][colour].as_object_mut();
            recorded.expect("a colour").remove("schedule_suspended");
        }
    });
    for target in aws.autoscaling.targets.values_mut() {
        target.suspended.scheduled = false;
    }
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        look(&driver, "update-service", &fill(&new)).await;
        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since)[..2], ["PutItem", "UpdateService"]);
    });
}

#[test]
fn only_colours_that_scale_by_themselves_are_suspended() {
    let without = |colours: &[&str]| {
        let mut aws = begun();
        edit(&mut aws, |lease| {
            for colour in colours {
                let recorded = lease["release"]["prior"]["pair"][*colour]
                    .as_object_mut()
                    .expect("recorded");
                recorded.remove("suspended");
            }
        });

        run(aws, Fault::None, async |driver| {
            let [new, _] = definitions(&driver.world.aws());
            let answer = look(&driver, "update-service", &fill(&new)).await;
            let aws = driver.world.snapshot();

            (
                report(&answer)[1].clone(),
                suspensions(&aws),
                open(&aws)["scale_in_suspended"].clone(),
            )
        })
    };
    assert_eq!(
        without(&["blue"]),
        (json!(SUSPENDED), [false, true], json!(true))
    );
    assert_eq!(
        without(&["green"]),
        (json!(SUSPENDED), [true, false], json!(true))
    );

    let (summary, suspensions, announced) = without(&["blue", "green"]);
    assert_eq!((suspensions, announced), ([false, false], json!(null)));
    assert!(
        summary
            .as_str()
            .is_some_and(|text| text.starts_with("deploying shop-blue:")),
        "{summary}"
    );
}

/// The count of blue after one look that fills.
fn filled_to(aws: Aws, more: Value) -> (Value, Value) {
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let mut parameters = fill(&new);
        parameters
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());

        let answer = look(&driver, "update-service", &parameters).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");

        let aws = driver.world.snapshot();
        (
            service(&aws, CLUSTER, "shop-blue")["desiredCount"].clone(),
            open(&aws)["change"]["desired_count"].clone(),
        )
    })
}

#[test]
fn the_size_is_the_live_colour_s_now_or_the_first_release_s_own() {
    let mut grown = suspended();
    set(&mut grown, "shop-green", json!({"desiredCount": 4}));
    assert_eq!(
        filled_to(grown, json!({"initial_count": 3})),
        (json!(4), json!(4))
    );

    let mut empty = suspended();
    set(&mut empty, "shop-green", json!({"desiredCount": 0}));
    assert_eq!(
        filled_to(empty.clone(), json!({"initial_count": 3})),
        (json!(3), json!(3))
    );
    assert_eq!(filled_to(empty, json!({})), (json!(1), json!(1)));
}

#[test]
fn a_size_that_was_announced_stays_although_the_live_colour_grows() {
    let mut aws = suspended();
    let [new, _] = definitions(&aws);
    edit(&mut aws, |lease| {
        let percentages = json!({"minimum_healthy": 100, "maximum": 200});
        lease["release"]["change"] =
            json!({"task_definition": new, "percentages": percentages, "desired_count": 3});
    });
    set(&mut aws, "shop-green", json!({"desiredCount": 5}));

    assert_eq!(filled_to(aws, json!({})), (json!(3), json!(3)));
}

#[test]
fn a_colour_that_runs_the_revision_already_is_announced_and_filled_all_the_same() {
    for count in [0, 2] {
        let mut aws = suspended();
        let [new, _] = definitions(&aws);
        set(
            &mut aws,
            "shop-blue",
            json!({"taskDefinition": new, "desiredCount": count}),
        );

        assert_eq!(filled_to(aws, json!({})), (json!(2), json!(2)));
    }
}

#[test]
fn a_release_of_what_is_live_does_nothing_in_any_mode() {
    run(begun(), Fault::None, async |driver| {
        let [_, old] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let summary = format!(
            "nothing to do: live colour green already runs {}",
            revision(&old)
        );

        for parameters in [fill(&old), size(&old), retire(&old)] {
            let answer = look(&driver, "update-service", &parameters).await;
            assert_eq!(
                report(&answer),
                json!(["done", summary, {"TaskDefinitionArn": old}])
            );
        }

        let swap = json!({"task_definition": old, "shift": "all-at-once"});
        let answer = look(&driver, "swap-target-groups", &swap).await;
        assert_eq!(
            report(&answer),
            json!(["done", summary, {"LiveColour": "green"}])
        );
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn the_old_colour_is_large_enough_when_it_has_as_many_healthy_tasks_as_it_needs() {
    run(half(), Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let answer = look(&driver, "update-service", &size(&new)).await;
        let summary = "2 of 2 healthy targets that green needs for all of the traffic";

        assert_eq!(
            report(&answer),
            json!(["done", summary, {"TaskDefinitionArn": new}])
        );

        // However late.
        let answer = look_after(&driver, "update-service", &size(&new), 7200).await;
        assert_eq!(report(&answer)[0], "done");
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());
    });
}

#[test]
fn an_old_colour_that_is_too_small_is_announced_and_grows_once() {
    let mut aws = half();

    // The task that goes is still healthy when the step looks.
    set(&mut aws, "shop-green", json!({"desiredCount": 1}));
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let answer = look(&driver, "update-service", &size(&new)).await;

        assert_eq!(
            (&report(&answer)[0], &report(&answer)[2]),
            (&json!("in-progress"), &json!(50)),
            "{answer}"
        );

        let aws = driver.world.snapshot();
        assert_eq!(changed(&aws, since), ["PutItem", "UpdateService"]);
        assert_eq!((counts(&aws), &open(&aws)["sized"]), ([2, 2], &json!(2)));
        assert_eq!(timeless(&aws, &lease(&aws)["changed_at"]), "now");
    });
}

#[test]
fn an_old_colour_grows_to_its_max_capacity_at_most() {
    let mut aws = whole();
    set(&mut aws, "shop-blue", json!({"desiredCount": 8}));
    bound(&mut aws, "shop-green", 4);
    run(aws, Fault::None, async |driver| {
        let [new, _] = definitions(&driver.world.aws());
        let answer = look(&driver, "update-service", &size(&new)).await;
        let lacks = "2 of 4 healthy targets that green needs for all of the traffic";
        assert_eq!(report(&answer), going(lacks, 50));
        assert_eq!(counts(&driver.world.aws()), [8, 4]);
    });
}

#[test]
fn an_old_colour_that_does_not_become_large_enough_fails_at_the_deadline() {
    let mut aws = half();
    set(&mut aws, "shop-green", json!({"desiredCount": 1}));
    run(aws, Fault::None, async |driver| {
        pass(&driver, secs(150)).await;
        let [new, _] = definitions(&driver.world.aws());
        let since = calls(&driver);
        let lacks = "1 of 2 healthy targets that green needs for all of the traffic";
        let late = look_after(&driver, "update-service", &size(&new), 1799).await;

        assert_eq!(report(&late), going(lacks, 50));
        assert_eq!(
            changed(&driver.world.aws(), since),
            ["PutItem", "UpdateService"]
        );

        // While its tasks start there is nothing more to set.
        let since = calls(&driver);
        let waits = look_after(&driver, "update-service", &size(&new), 1799).await;
        assert_eq!(report(&waits), going(lacks, 50));
        assert_eq!(changed(&driver.world.aws(), since), Vec::<String>::new());

        let too_late = look_after(&driver, "update-service", &size(&new), 1800).await;
        assert_eq!(
            report(&too_late),
            failed(&format!("{lacks} after 30m00s (deadline 30m00s)"))
        );
    });
}
