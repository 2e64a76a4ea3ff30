//! Lists in pages of one item: the adapters read all of them, and every release ends as with long
//! pages.

use emulator::client::{CallFault, Invocation, World, sdk_config};
use emulator::cloudwatch::set_alarm;
use emulator::ecs::{self, Task};
use emulator::{Aws, autoscaling};
use harness::demo::canary::{CASES, opened};
use harness::demo::{CLUSTER, SHOP, WEB, play};
use harness::driver::{Fault, run};
use serde_json::json;
use slipway::aws::{Ledger, Metrics, Scaling, Sdk, Services};
use slipway::observed::alarm::Alarm;
use slipway::observed::scaling::{RecordedScaling, ScalingView};

use super::scenes::{ends_alike, scenes};
use behaviour::ledger_table;

const COLOURS: [&str; 2] = ["shop-blue", "shop-green"];

fn in_pages_of_one(aws: &mut Aws) {
    aws.pages = Some(1);
}

/// Runs `look` on the account at the beginning of the last chapter, in pages of one, with what
/// adapters are made from.
fn in_pages(look: impl AsyncFnOnce(World, Sdk)) {
    let mut aws = scenes().last().expect("chapters").before.clone();
    in_pages_of_one(&mut aws);
    let table = ledger_table(&aws);
    run(aws, Fault::None, async |driver| {
        let invocation = Invocation::new("operator", CallFault::None);
        let sdk = Sdk::new(sdk_config(&driver.world, invocation), &table);
        look(driver.world.clone(), sdk).await;
    });
}

#[test]
fn a_release_in_place_ends_alike_in_pages_of_one() {
    ends_alike(|chapter| chapter.application != SHOP, in_pages_of_one);
}

#[test]
fn a_release_of_a_pair_ends_alike_in_pages_of_one() {
    ends_alike(|chapter| chapter.application == SHOP, in_pages_of_one);
}

#[test]
fn a_good_image_and_a_bad_one_are_judged_alike_in_pages_of_one() {
    let mut aws = opened(1, &[]).expect("the shop opens");
    in_pages_of_one(&mut aws);

    for case in &CASES[..2] {
        case.prepare(&mut aws).expect("there is a shop");
        let played = play(aws, &case.chapter(), Fault::None, &mut |_| {})
            .unwrap_or_else(|wrong| panic!("{wrong}"));
        aws = played.aws;
    }
}

#[test]
fn all_leases_are_read() {
    in_pages(async |_, sdk| {
        let leases = Ledger::new(&sdk)
            .leases()
            .await
            .expect("they are read")
            .leases;
        let mut services: Vec<String> = leases.into_iter().map(|lease| lease.service).collect();
        services.sort();
        assert_eq!(services, ["page-counter", "shop", "web"]);
    });
}

#[test]
fn the_stop_reasons_of_all_tasks_are_read() {
    in_pages(async |world, sdk| {
        let running: Vec<(String, String)> = {
            let aws = world.aws();
            let of_web = |task: &&Task| task.is_running() && task.service.ends_with("/web");

            aws.ecs
                .tasks
                .values()
                .filter(of_web)
                .map(|task| (task.arn.clone(), task.task_definition.clone()))
                .collect()
        };
        assert_eq!(running.len(), 2);

        for ((task, _), reason) in running.iter().zip(["tried one", "tried another"]) {
            let stopped = json!({"cluster": CLUSTER, "task": task, "reason": reason});
            ecs::call(&mut world.aws(), "StopTask", &stopped).expect("it runs");
        }

        let reasons = Services::new(&sdk)
            .stop_reasons(CLUSTER, WEB, &running[0].1)
            .await
            .expect("they are read");
        for reason in ["tried one", "tried another"] {
            assert!(
                reasons.iter().any(|read| read.starts_with(reason)),
                "{reasons:?}"
            );
        }
    });
}

#[test]
fn the_scaling_of_both_colours_is_read() {
    in_pages(async |world, sdk| {
        let suspended = json!({
            "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
            "ResourceId": autoscaling::resource_id(CLUSTER, COLOURS[1]),
            "SuspendedState": {"DynamicScalingInSuspended": true},
        });
        autoscaling::call(&mut world.aws(), "RegisterScalableTarget", &suspended)
            .expect("the colour scales");
        let found = Scaling::new(&sdk)
            .observe(CLUSTER, COLOURS)
            .await
            .expect("it is read");

        assert_eq!(
            found,
            [false, true].map(|suspended| Some(ScalingView {
                scale_in_suspended: suspended,
                schedule_suspended: false,
                max_capacity: 8,
            }))
        );
    });
}

#[test]
fn scale_in_of_both_colours_is_suspended() {
    in_pages(async |world, sdk| {
        let suspended = RecordedScaling {
            scale_in_suspended: true,
            schedule_suspended: Some(true),
        };
        Scaling::new(&sdk)
            .suspend_scale_in(CLUSTER, COLOURS, [Some(suspended); 2])
            .await
            .expect("it is suspended");
        let aws = world.aws();
        let target = |name| {
            aws.autoscaling
                .target_of(CLUSTER, name)
                .map(|target| [target.suspended.dynamic_in, target.suspended.scheduled])
        };

        assert_eq!(COLOURS.map(target), [Some([true; 2]); 2]);
    });
}

#[test]
fn the_states_of_all_alarms_are_read() {
    in_pages(async |world, sdk| {
        for (name, state) in [("a", "OK"), ("b", "ALARM"), ("c", "OK")] {
            set_alarm(&mut world.aws(), name, state);
        }

        let names = ["a", "b", "c", "none"].map(str::to_owned);
        let found = Metrics::new(&sdk)
            .alarms(&names)
            .await
            .expect("they are read");
        let [Alarm::Active { name, .. }, Alarm::Missing { name: missing }] = &found[..] else {
            panic!("{found:?}");
        };

        assert_eq!((name.as_str(), missing.as_str()), ("b", "none"));
    });
}
