//! Images whose failures no count of 5XX has, and rates that jitter for every version alike.

use emulator::ecr::Answers;
use emulator::traffic::Variation;
use harness::driver::{Fault, run};

use behaviour::shop::{judged, messages, release, shop};
use behaviour::{outcome, pair, reason};

/// Releases an image that answers like this, which must be rolled back for this metric.
#[track_caller]
fn rolled_back_for(answers: Answers, metric: &str) {
    run(shop(), Fault::None, async |driver| {
        let before = pair::state(&driver.world.aws());
        let execution = release(&driver, "2.1.0", answers).await;
        let aws = driver.world.snapshot();
        let messages = messages(&aws, "judge");

        let outcome = outcome(&driver, &execution);
        assert_eq!(outcome, "rolled-back", "{messages:#?}");
        assert_eq!(pair::state(&aws), before);
        let message = messages.last().expect("a message");
        assert!(message.starts_with(metric), "{message}");
        assert_eq!(judged(&aws, &execution).len(), 1);
    });
}

#[test]
fn an_image_that_never_answers_some_requests_is_rolled_back() {
    let answers = Answers {
        unanswered: 0.05,
        ..Answers::GOOD
    };
    rolled_back_for(answers, "requests without a good answer ");
}

#[test]
fn an_image_that_resets_some_connections_is_rolled_back() {
    let answers = Answers {
        reset: 0.05,
        ..Answers::GOOD
    };
    rolled_back_for(answers, "requests without a good answer ");
}

#[test]
fn an_image_that_answers_404_to_all_is_rolled_back() {
    let answers = Answers {
        client_errors: 1.0,
        ..Answers::GOOD
    };
    rolled_back_for(answers, "4xx ");
}

/// The errors of a minute vary by 20 % and the slow requests by 10 %, on both sides alike.
#[test]
fn rates_that_jitter_for_both_colours_alike_keep_no_healthy_image_back() {
    let mut aws = shop();
    aws.traffic.variation = Variation {
        errors: 0.2,
        times: 0.03,
        ..Variation::default()
    };
    run(aws, Fault::None, async |driver| {
        let execution = release(&driver, "2.0.0", Answers::GOOD).await;
        let reason = reason(&driver, &execution);
        assert_eq!(outcome(&driver, &execution), "deployed", "{reason}");
        let judged = judged(&driver.world.aws(), &execution);
        let verdicts: Vec<&str> = judged.iter().map(|(verdict, _)| verdict.as_str()).collect();
        assert_eq!(verdicts, ["promote"]);
    });
}
