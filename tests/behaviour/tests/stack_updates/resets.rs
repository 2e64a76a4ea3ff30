//! A stack update that changes the production rule sends the whole rule, with the weights of its
//! template: all of the traffic goes to blue, although green is live and blue has no tasks.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use behaviour::pair::{
    self, COLOURS, HALVES, PIPELINE, SHORT, secs, set, set_weights, shop, until_weights, weights,
};
use behaviour::{deploy_role, ends, invoke_with, jobs, ledger_table, pass, push, reason};
use emulator::client::{CallFault, Trouble};
use emulator::cloudformation::deploy;
use emulator::codepipeline::ReportContent;
use emulator::{Aws, dynamodb, ecs, eventbridge, traffic};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{item, record};
use serde_json::{Value, json};

use super::root;

const PIPELINE_ARN: &str = "arn:aws:codepipeline:eu-west-1:111122223333:slipway-shop";

/// In the template of the pair, the paths of the production rule.
const PATHS: &str = "Values: ['/*']";

/// Updates the stack of the pair with another path in its production rule.
fn reset(aws: &mut Aws) {
    static UPDATES: AtomicU32 = AtomicU32::new(0);

    let template = fs::read_to_string(root().join("infra/service.yaml")).expect("the template");
    assert_eq!(template.matches(PATHS).count(), 1);

    let number = UPDATES.fetch_add(1, Ordering::Relaxed);
    let name = format!("slipway-reset-{}-{number}.yaml", std::process::id());
    let path = std::env::temp_dir().join(name);
    let changed = template.replace(PATHS, "Values: ['/*', '/team/*']");
    fs::write(&path, changed).expect("the file is written");

    let parameters = pair::parameters(aws, SHOP);
    deploy(aws, SHOP, &path, &parameters).unwrap_or_else(|error| panic!("{error}"));
    fs::remove_file(&path).expect("the file is there");
}

/// The shop without the sweep's schedule.
fn without_sweep() -> Aws {
    let mut aws = shop(&SHORT);
    let sweep = json!({"Name": "slipway-sweep"});
    eventbridge::call(&mut aws, "DisableRule", &sweep).expect("the rule is there");
    aws
}

async fn sweep(driver: &Driver) -> Value {
    sweep_with(driver, CallFault::None).await
}

async fn sweep_with(driver: &Driver, fault: CallFault) -> Value {
    let swept = invoke_with(driver, "roll-back", json!({"sweep": true}), fault).await;
    swept.expect("an answer")["swept"].clone()
}

#[test]
fn reset_weights_of_a_free_pair_are_set_back_within_a_sweep() {
    run(shop(&SHORT), Fault::None, async |driver| {
        pass(&driver, secs(120)).await;
        reset(&mut driver.world.aws());
        driver.world.touch();
        assert_eq!(weights(&driver.world.aws()), [100, 0]);

        pass(&driver, secs(75)).await;
        assert_eq!(weights(&driver.world.aws()), [0, 100]);

        let pushed = push(&driver, SHOP, "2.0.0");
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;
        let record = record(&driver.world.aws(), &execution).expect("a record");
        assert!(record.get("repaired").is_none(), "{record}");
    });
}

#[test]
fn the_sweep_names_what_it_repaired_once() {
    run(without_sweep(), Fault::None, async |driver| {
        assert_eq!(sweep(&driver).await, json!({}));

        reset(&mut driver.world.aws());
        let status = "the weights were blue 100 / green 0, but blue has no healthy target; \
            restored to blue 0 / green 100 as the last release left them";
        let name = format!("{CLUSTER}/{SHOP}");
        let repaired = json!({name: status});
        assert_eq!(sweep(&driver).await, repaired);
        assert_eq!(weights(&driver.world.aws()), [0, 100]);

        assert_eq!(sweep(&driver).await, json!({}));
    });
}

#[test]
fn the_sweep_sets_no_weights_that_it_could_not_announce() {
    run(without_sweep(), Fault::None, async |driver| {
        reset(&mut driver.world.aws());
        let conflict = CallFault::From {
            first: 1,
            count: 100,
            trouble: Trouble::Conflict,
        };
        assert_eq!(sweep_with(&driver, conflict).await, json!({}));
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
    });
}

/// Gives the lease of the pair a deploy role, as the last release under it left it.
fn leave_role(aws: &mut Aws, arn: &str) {
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("{CLUSTER}/{SHOP}")}});
    let mut lease = item(aws, &key).expect("a lease");
    lease["settled"]["M"]["rule"]["M"]["deploy_role"] =
        json!({"M": {"arn": {"S": arn}, "external_id": {"S": PIPELINE_ARN}}});

    let put = json!({"TableName": ledger_table(aws), "Item": lease});
    dynamodb::call(aws, "PutItem", &put).expect("an item");
}

#[test]
fn the_sweep_repairs_under_the_deploy_role_and_leaves_a_pair_alone_whose_role_is_gone() {
    for (is_gone, expected) in [(false, [0, 100]), (true, [100, 0])] {
        run(without_sweep(), Fault::None, async |driver| {
            let (name, arn) = deploy_role(&mut driver.world.aws(), "roll-back", PIPELINE_ARN);
            let arn = if is_gone { format!("{arn}-gone") } else { arn };
            leave_role(&mut driver.world.aws(), &arn);
            reset(&mut driver.world.aws());

            let swept = sweep(&driver).await;
            assert_eq!(swept == json!({}), is_gone, "{swept}");
            let aws = driver.world.snapshot();
            assert_eq!(weights(&aws), expected);
            let sets = aws
                .iam
                .has_demanded(&name, "elasticloadbalancing:ModifyRule");
            assert_eq!(sets, !is_gone);
        });
    }
}

#[test]
fn the_sweep_leaves_traffic_that_is_served_or_that_no_colour_can_serve() {
    // An operator moved it to blue, which has tasks.
    run(without_sweep(), Fault::None, async |driver| {
        set(
            &mut driver.world.aws(),
            "shop-blue",
            json!({"desiredCount": 2}),
        );
        driver.world.touch();
        pass(&driver, secs(300)).await;
        set_weights(&mut driver.world.aws(), [100, 0]);
        assert_eq!(sweep(&driver).await, json!({}));
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
    });

    // No colour has tasks, or a reason to start some.
    let mut aws = without_sweep();
    let rule = pair::rule(&aws);
    traffic::set(&mut aws, &rule, 0.0);
    run(aws, Fault::None, async |driver| {
        set(
            &mut driver.world.aws(),
            "shop-green",
            json!({"desiredCount": 0}),
        );
        driver.world.touch();
        pass(&driver, secs(300)).await;
        set_weights(&mut driver.world.aws(), [100, 0]);
        assert_eq!(sweep(&driver).await, json!({}));
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
    });
}

#[test]
fn the_sweep_leaves_a_pair_alone_whose_services_are_deleted() {
    for gone in [&COLOURS[..], &COLOURS[..1], &COLOURS[1..]] {
        run(without_sweep(), Fault::None, async |driver| {
            for name in gone {
                let input = json!({"cluster": CLUSTER, "service": name, "force": true});
                ecs::call(&mut driver.world.aws(), "DeleteService", &input).expect("it is there");
            }
            set_weights(&mut driver.world.aws(), [100, 0]);
            driver.world.touch();

            // At once the services are DRAINING, and later INACTIVE.
            for _ in 0..2 {
                assert_eq!(sweep(&driver).await, json!({}), "{gone:?}");
                assert_eq!(weights(&driver.world.aws()), [100, 0]);
                pass(&driver, secs(600)).await;
            }
        });
    }
}

#[test]
fn a_release_that_finds_reset_weights_repairs_them_and_records_it() {
    run(without_sweep(), Fault::None, async |driver| {
        reset(&mut driver.world.aws());
        let pushed = push(&driver, SHOP, "2.0.0");
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.snapshot();
        assert_eq!(
            weights(&aws),
            [100, 0],
            "blue was filled and has the traffic"
        );
        let record = record(&aws, &execution).expect("a record");
        assert_eq!(
            record["repaired"],
            json!({"M": {"blue": {"N": "100"}, "green": {"N": "0"}}})
        );

        let begun = jobs(&aws, &execution, "begin-release");
        let last = begun.last().and_then(|job| job.reports.last());
        let Some(ReportContent::Success { summary, .. }) = last.map(|report| &report.content)
        else {
            panic!("it began: {last:?}");
        };
        let summary = summary.clone().unwrap_or_default();
        assert!(
            summary.ends_with("; the weights were blue 100 / green 0 and were repaired"),
            "{summary}"
        );
    });
}

#[test]
fn weights_that_are_reset_during_a_release_are_another_writer_s() {
    run(shop(&HALVES), Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        reset(&mut driver.world.aws());
        driver.world.touch();

        let execution = ends(&driver, PIPELINE, &pushed, "superseded").await;
        let reason = reason(&driver, &execution);
        assert!(reason.contains("blue 100 / green 0"), "{reason}");

        // Blue runs the new revision and serves.
        pass(&driver, secs(120)).await;
        assert_eq!(weights(&driver.world.aws()), [100, 0]);
    });
}
