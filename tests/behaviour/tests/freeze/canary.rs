//! A freeze that begins while a canary is judged at its first share.

use emulator::ecr::Answers;
use harness::demo::canary::become_canary;
use harness::driver::{Fault, run};

use super::*;
use behaviour::ends;
use behaviour::pair::{PIPELINE, until_weights};
use behaviour::shop::{SHORT, messages, push, shop};

/// When the new colour has its first share, if a release begins now.
fn first_share_at(aws: &Aws) -> Millis {
    run(aws.clone(), Fault::None, async |driver| {
        push(&driver, "2.0.0", Answers::GOOD);
        until_weights(&driver, [5, 95]).await;
        driver.world.clock.now()
    })
}

#[test]
fn a_freeze_that_outlasts_the_raise_of_a_share_holds_the_canary_at_the_share_before() {
    let mut aws = shop();
    let (windows, ..) = window(first_share_at(&aws), 2, 62 * 60);
    let own = [("FreezeWindows", windows.as_str()), ("HoldMinutes", "5")];
    become_canary(&mut aws, &[&SHORT[..], &own].concat()).expect("the template deploys");

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, "2.0.0", Answers::GOOD);
        ends(&driver, PIPELINE, &pushed, "held").await;
        let messages = messages(&driver.world.snapshot(), "judge");
        let beginning = |with: &str| {
            let found = messages.iter().filter(|message| message.starts_with(with));
            found.count()
        };
        assert!(beginning("frozen: until ") > 1, "{messages:#?}");
        let held = beginning("waiting for a decision: keeping 5% on blue");
        assert!(held > 0, "{messages:#?}");
    });
}
