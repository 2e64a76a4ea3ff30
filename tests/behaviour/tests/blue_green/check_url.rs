//! `CheckUrl` of the template: the idle colour must respond before any traffic moves.

use std::time::Duration;

use emulator::codepipeline::ActionStatus;
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};

use behaviour::pair::{self, SHORT, configure, release, shop, until_action, update, weights};
use behaviour::{assert_outcome, ends, newest, outcome, pass, push, reason};

/// The shop, released once, whose pipeline requests a URL of its load balancer, which refuses what
/// no test rule takes.
fn checking() -> Aws {
    let mut aws = shop(&SHORT);
    update(&mut aws, "shop", &[("RefuseTestHeader", "yes")]);
    let listener = &aws.elb.listeners[&pair::listener(&aws)];
    let balancer = &aws.elb.load_balancers[&listener.load_balancer_arn];
    let url = format!("http://{}/health", balancer.dns_name);
    configure(&mut aws, &[("CheckUrl", url.as_str())]);
    aws
}

/// No task of blue, the idle colour, answers its load balancer any more.
fn stop_answering(aws: &mut Aws) {
    let blue = aws.ecs.service_named(CLUSTER, "shop-blue");
    let blue = blue.expect("a colour").arn.clone();
    let tasks = aws.ecs.tasks_of(&blue).map(|task| task.arn.clone());
    let tasks: Vec<String> = tasks.collect();
    for task in &tasks {
        ecs::set_answering(aws, task, false);
    }
}

fn check_goes_on(driver: &Driver) -> bool {
    let aws = driver.world.aws();
    let check = newest(&aws, pair::PIPELINE).latest_action("Release", "check");
    check.is_some_and(|check| check.status == ActionStatus::InProgress)
}

#[test]
fn the_traffic_moves_after_the_idle_colour_has_responded() {
    run(checking(), Fault::None, async |driver| {
        let execution = release(&driver, "2.0.0").await;
        assert_outcome(&driver, &execution, "deployed");

        let aws = driver.world.aws();
        let found = aws.codepipeline.execution(&execution).expect("it is there");
        let [fill, check, swap] = ["fill", "check", "swap-target-groups"]
            .map(|name| found.latest_action("Release", name).expect("it ran"));
        assert!(fill.ended.is_some_and(|ended| ended <= check.started));
        assert!(check.ended.is_some_and(|ended| ended <= swap.started));
        let summary = check.summary.as_deref().unwrap_or_default();
        assert!(summary.starts_with("OK url: status 200"), "{summary}");
    });
}

#[test]
fn no_traffic_moves_to_a_colour_that_does_not_respond() {
    let aws = checking();
    let before = weights(&aws);
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        let begun = until_action(&driver, &pushed, "check", 0).await;
        begun.expect("it begins");
        // ECS replaces its tasks meanwhile.
        while check_goes_on(&driver) {
            stop_answering(&mut driver.world.aws());
            pass(&driver, Duration::from_secs(1)).await;
        }

        let execution = ends(&driver, pair::PIPELINE, &pushed, "rolled-back").await;
        let why = reason(&driver, &execution);
        // 502 while its tasks are registered, 503 once they are replaced.
        assert!(why.contains("NG url: found status 50"), "{why}");

        let aws = driver.world.aws();
        assert_eq!(weights(&aws), before);
        let found = aws.codepipeline.execution(&execution).expect("it is there");
        let swap = found.latest_action("Release", "swap-target-groups");
        assert!(swap.is_none(), "the swap never began");
    });
}

#[test]
fn no_traffic_moves_after_a_response_from_outside_the_addresses_of_the_test_rule() {
    let mut aws = checking();
    aws.elb.sources_unlisted = true;
    let before = weights(&aws);
    run(aws, Fault::None, async |driver| {
        let execution = release(&driver, "2.0.0").await;
        assert_eq!(outcome(&driver, &execution), "rolled-back");
        let why = reason(&driver, &execution);
        assert!(why.contains("NG url: found status 403"), "{why}");
        assert_eq!(weights(&driver.world.aws()), before);
    });
}
