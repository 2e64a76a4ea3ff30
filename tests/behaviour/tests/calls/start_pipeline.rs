//! Pushes and what they start. Only the calls of `start-pipeline` are looked at.

use std::time::Duration;

use emulator::ecr::{self, Behaviour};
use emulator::lambda;
use harness::demo::WEB;
use harness::driver::Driver;
use invariants::ledger_reader::FUNCTIONS_STACK;

use crate::golden::check;
use crate::in_place::push_again;
use behaviour::{ends, pass, push, released, settled};

const ONLY: &[&str] = &["start-pipeline"];

/// The event of the last push comes once more.
fn deliver_again(driver: &Driver) {
    let mut aws = driver.world.aws();
    let function = format!("{FUNCTIONS_STACK}-start-pipeline");
    let last = aws
        .lambda
        .invocations
        .iter()
        .rev()
        .find(|one| one.function == function)
        .expect("there was a push");
    let payload = last.payload.clone();
    lambda::invoke_async(&mut aws, &function, payload).expect("accepted");
    drop(aws);
    driver.world.touch();
}

/// A push, its event once more, the same digest under another tag while its release goes on, and
/// again after it.
#[test]
fn a_push_and_the_same_push_again() {
    check(&[("start-pipeline", ONLY)], released(), async |driver| {
        let pushed = push(driver, WEB, "1.1.0");
        pass(driver, Duration::from_secs(10)).await;
        deliver_again(driver);
        pass(driver, Duration::from_secs(10)).await;
        push_again(driver, "1.1.0-again", "1.1.0");
        settled(driver, "slipway-web", &pushed).await;
        push_again(driver, "stable", "1.1.0");
        pass(driver, Duration::from_secs(30)).await;
    });
}

/// A digest that was rolled back is refused when it is pushed again, twice.
#[test]
fn a_refused_digest() {
    check(
        &[("start-pipeline-refused", ONLY)],
        released(),
        async |driver| {
            let pushed = ecr::push(
                &mut driver.world.aws(),
                WEB,
                "1.2.0",
                Behaviour::NeverHealthy,
            )
            .expect("pushed");
            driver.world.touch();
            ends(driver, "slipway-web", &pushed, "rolled-back").await;

            push_again(driver, "1.2.0-again", "1.2.0");
            pass(driver, Duration::from_secs(30)).await;
            push_again(driver, "1.2.0-once-more", "1.2.0");
            pass(driver, Duration::from_secs(30)).await;
        },
    );
}
