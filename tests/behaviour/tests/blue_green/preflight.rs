//! How releases begin: on stacks in which nothing was ever released, with an image that is live
//! already, and on weights that no release left so.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use emulator::cloudformation::deploy;
use emulator::ecr::{self, Behaviour};
use emulator::elb::Elb;
use emulator::{Aws, lambda, traffic};
use harness::demo::{CLUSTER, SHOP, task_roles};
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::holder;
use serde_json::json;

use behaviour::pair::{
    self, PIPELINE, SHORT, counts, definitions, set_weights, shop, state, until_weights, weights,
};
use behaviour::{
    LIMIT, account, assert_outcome, ends, failure, is_closed, jobs, newest, outcome, pass, push,
    reason, retag, service, settled, until, writes,
};

const KIOSK: &str = "kiosk";

fn stack(aws: &mut Aws, name: &str, template: &str, parameters: &[(&str, &str)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    deploy(aws, name, &root.join(template), &parameters)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
}

/// A pair that was just deployed from the templates, and its pipeline; nothing scales by itself.
fn with_kiosk(initial_count: &str) -> Aws {
    let mut aws = account();
    let place = [
        ("VpcId", "vpc-0a1b2c3d"),
        ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
        ("Cluster", CLUSTER),
    ];
    stack(
        &mut aws,
        KIOSK,
        "infra/service.yaml",
        &[&place[..], &[("Name", KIOSK), ("BlueGreen", "yes")]].concat(),
    );

    let rule = aws
        .cloudformation
        .export("kiosk-ProductionRuleArn")
        .expect("a pair")
        .to_owned();
    let roles = task_roles(&aws, KIOSK).expect("a service of the template");
    let pipeline = [
        ("PipelineName", "slipway-kiosk"),
        ("Cluster", CLUSTER),
        ("Service", KIOSK),
        ("Rule", rule.as_str()),
        ("Repository", KIOSK),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("InitialCount", initial_count),
    ];
    let file = "infra/pipelines/blue-green.yaml";
    stack(
        &mut aws,
        "kiosk-pipeline",
        file,
        &[&pipeline[..], &SHORT[..]].concat(),
    );
    aws
}

/// Lets the kiosk's first release end and checks that green serves with this many tasks, and blue
/// with none.
async fn first_release(driver: &Driver, tasks: i64) {
    let pushed = push(driver, KIOSK, "1.0.0");
    ends(driver, "slipway-kiosk", &pushed, "deployed").await;

    let aws = driver.world.snapshot();
    let [blue, green] = ["kiosk-blue", "kiosk-green"].map(|name| service(&aws, CLUSTER, name));
    assert_eq!(
        (&green["runningCount"], &green["desiredCount"]),
        (&json!(tasks), &json!(tasks))
    );
    assert_eq!(
        (&blue["runningCount"], &blue["desiredCount"]),
        (&json!(0), &json!(0))
    );

    serves(&aws, tasks);

    let runs = aws
        .ecs
        .request_of(green["taskDefinition"].as_str().expect("an ARN"))
        .expect("registered");
    assert!(
        runs["containerDefinitions"][0]["image"]
            .as_str()
            .is_some_and(|image| image.ends_with(&pushed)),
        "{runs}"
    );

    Invariants::default()
        .at_end(&aws)
        .expect("ledger and account agree");
}

/// The kiosk's rule sends all of the traffic to green, which has this many healthy targets.
fn serves(aws: &Aws, tasks: i64) {
    let rule = aws
        .cloudformation
        .export("kiosk-ProductionRuleArn")
        .expect("a pair");
    let forwards = Elb::forwards(aws.elb.actions_of(rule));
    assert_eq!(
        forwards
            .iter()
            .map(|(_, weight)| *weight)
            .collect::<Vec<_>>(),
        [0, 100]
    );
    assert_eq!(
        aws.elb.healthy_count(&forwards[1].0, aws.now),
        usize::try_from(tasks).expect("small")
    );
}

#[test]
fn a_first_release_on_placeholders_ends_deployed() {
    run(with_kiosk(""), Fault::None, async |driver| {
        until(&driver, |aws| {
            aws.ecs
                .services
                .values()
                .all(|service| !service.is_deploying())
        })
        .await;
        first_release(&driver, 1).await;
    });
}

#[test]
fn a_first_release_on_services_without_tasks_starts_as_many_as_are_requested() {
    for (initial_count, tasks) in [("3", 3), ("", 1)] {
        run(with_kiosk(initial_count), Fault::None, async |driver| {
            for name in ["kiosk-blue", "kiosk-green"] {
                pair::set(&mut driver.world.aws(), name, json!({"desiredCount": 0}));
            }
            pass(&driver, pair::secs(300)).await;
            first_release(&driver, tasks).await;
        });
    }
}

#[test]
fn the_same_image_again_changes_nothing() {
    run(shop(&SHORT), Fault::None, async |driver| {
        let before = driver.world.snapshot();
        retag(&driver, SHOP, "1.0.0", "again");

        let known = before.codepipeline.executions.len();
        let over = |aws: &Aws| {
            let execution = newest(aws, PIPELINE);
            aws.codepipeline.executions.len() > known
                && execution.is_over()
                && is_closed(aws, &execution.id)
        };
        until(&driver, over).await;

        let aws = driver.world.snapshot();
        let execution = newest(&aws, PIPELINE).id.clone();
        assert_outcome(&driver, &execution, "unchanged");
        assert_eq!(state(&aws), state(&before));

        let ledger = [
            "PutItem",
            "TransactWriteItems",
            "StartPipelineExecution",
            "UpdateItem",
        ];
        let mut changes = writes(&aws, before.calls.len());
        changes.retain(|write| !ledger.iter().any(|known| write.starts_with(known)));
        assert_eq!(changes, Vec::<String>::new());
    });
}

#[test]
fn weights_that_no_release_left_are_settled_first_when_there_is_a_record() {
    for by_hand in [[60, 40], [0, 0], [1, 999]] {
        run(shop(&SHORT), Fault::None, async |driver| {
            let before = definitions(&driver.world.aws());
            set_weights(&mut driver.world.aws(), by_hand);
            let pushed = push(&driver, SHOP, "2.0.0");

            // No task of the new version may be there before the old business is settled.
            let mut seen = Vec::new();
            let mut watch = |aws: &Aws| {
                let now = (weights(aws), definitions(aws) == before);
                if seen.last() != Some(&now) {
                    seen.push(now);
                }
                Ok(())
            };
            driver
                .until(LIMIT, &mut watch, |aws| weights(aws) == [100, 0])
                .await
                .expect("it is deployed");

            assert_eq!(
                seen,
                [
                    (by_hand, true),
                    ([0, 100], true),
                    ([0, 100], false),
                    ([100, 0], false)
                ]
            );

            ends(&driver, PIPELINE, &pushed, "deployed").await;
            assert_eq!(counts(&driver.world.aws()), [2, 0]);
        });
    }
}

#[test]
fn weights_that_no_release_left_are_refused_without_a_record() {
    for by_hand in [[60, 40], [0, 0], [50, 50]] {
        let mut aws = account();
        pair::configure(&mut aws, &SHORT);
        set_weights(&mut aws, by_hand);
        refused(
            aws,
            &format!("the weights are blue {} / green {}", by_hand[0], by_hand[1]),
            &["set the weight"],
        );
    }
}

#[test]
fn weights_are_not_settled_on_a_colour_that_cannot_serve() {
    let mut aws = shop(&SHORT);
    pair::set(&mut aws, "shop-green", json!({"desiredCount": 0}));
    let rule = pair::rule(&aws);
    traffic::set(&mut aws, &rule, 0.0);
    let mut aws = run(aws, Fault::None, async |driver| {
        pass(&driver, pair::secs(300)).await;
        driver.world.snapshot()
    });
    // Set only now: the sweep would set them back while green has a healthy target.
    set_weights(&mut aws, [100, 100]);
    refused(
        aws,
        "the last release left them at blue 0 / green 100",
        &["green has no healthy target", "by hand"],
    );
}

#[test]
fn colours_of_one_family_are_refused() {
    let mut aws = shop(&SHORT);
    let live = service(&aws, CLUSTER, "shop-green")["taskDefinition"].clone();
    pair::set(&mut aws, "shop-blue", json!({"taskDefinition": live}));
    let aws = run(aws, Fault::None, async |driver| {
        pass(&driver, pair::secs(300)).await;
        driver.world.snapshot()
    });
    refused(
        aws,
        "services `shop-green` and `shop-blue` both run family `shop-green`",
        &["expected a family of its own", "--service shop-blue"],
    );
}

#[test]
fn services_that_scale_are_refused_under_a_role_that_may_not_suspend_it() {
    let mut aws = shop(&SHORT);
    pair::configure(&mut aws, &[("ScalableTargetArns", "")]);
    refused(
        aws,
        "service `shop-blue` scales automatically, and the deploy role may not suspend its \
         scale-in; expected the scalable targets of both services in `ScalableTargetArns`",
        &["--resource-ids service/apps/shop-blue service/apps/shop-green"],
    );
}

/// A release that is refused at its beginning: the job reports why, and nothing is changed.
fn refused(aws: Aws, why: &str, more: &[&str]) {
    let before = state(&aws);
    run(aws, Fault::None, async |driver| {
        let pushed =
            ecr::push(&mut driver.world.aws(), SHOP, "2.0.0", Behaviour::Healthy).expect("pushed");
        let execution = settled(&driver, PIPELINE, &pushed).await;
        let aws = driver.world.snapshot();
        let begun = jobs(&aws, &execution, "begin-release");
        let (kind, message) = failure(begun.last().expect("a job")).expect("a failure");

        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(
            message.contains(why) && more.iter().all(|part| message.contains(part)),
            "{message}"
        );
        assert_eq!(outcome(&driver, &execution), "failed");
        assert!(
            reason(&driver, &execution).contains(why),
            "{}",
            reason(&driver, &execution)
        );
        assert_eq!((state(&aws), holder(&aws, CLUSTER, SHOP)), (before, None));
    });
}

/// Lambda may deliver an event a second time, long after the first: begin-release then finds its
/// own release on the way.
#[test]
fn a_late_delivery_takes_no_traffic_back() {
    let halves = [
        ("Shift", "listed"),
        ("Steps", "50,100"),
        ("StepMinutes", "2"),
        ("BakeMinutes", "0"),
        ("DrainMinutes", "0"),
    ];
    run(shop(&halves), Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        until_weights(&driver, [50, 50]).await;
        let begins = |one: &lambda::Invocation| one.function.ends_with("begin-release");
        let first = driver
            .world
            .aws()
            .lambda
            .invocations
            .iter()
            .rev()
            .find(|one| begins(one))
            .expect("it began")
            .id;
        lambda::duplicate(&mut driver.world.aws(), first, Duration::from_secs(1));
        driver.world.touch();

        let again = |aws: &Aws| {
            aws.lambda
                .invocations
                .iter()
                .any(|one| one.duplicate_of == Some(first))
        };
        driver
            .until(LIMIT, &mut |_| Ok(()), again)
            .await
            .expect("it is delivered again");
        pass(&driver, Duration::from_secs(20)).await;

        assert_eq!(weights(&driver.world.aws()), [50, 50]);

        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}
