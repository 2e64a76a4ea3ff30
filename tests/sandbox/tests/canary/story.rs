//! What `cargo sandbox --pipeline canary` tells: five images, and how their releases end.

use sandbox::driver::Fault;
use sandbox::story::canary::{CASES, opened};
use sandbox::story::play;

use super::support::pair;

#[test]
fn five_images_end_as_their_metrics_deserve() {
    let mut aws = opened(1, &[]).expect("the shop opens");
    for case in &CASES {
        let before = pair::state(&aws);
        case.prepare(&mut aws).expect("there is a shop");
        let played = play(aws, &case.chapter(), Fault::None, &mut |_| {}).unwrap_or_else(|wrong| panic!("{wrong}"));
        aws = played.aws;
        let reason = &played.release.reason;
        if played.release.outcome == "rolled-back" {
            assert!((1..=3).any(|minutes| reason.contains(&format!("after {minutes} min"))), "{reason}");
        }
        if played.release.outcome != "deployed" {
            assert_eq!(pair::state(&aws), before, "{}: {reason}", case.title);
        }
    }
}
