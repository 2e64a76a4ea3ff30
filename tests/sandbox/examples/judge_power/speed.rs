//! Measures how long the judge takes, for a bake of ten thousand minutes with all five metrics.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use slipway::judge::canary::offline::judge_line;

const MINUTES: u32 = 10_000;

/// How long they may take. What it takes depends on the machine, so no test requires it.
const LIMIT: Duration = Duration::from_secs(1);

/// How long it took, in words, and whether that is little enough.
pub(crate) fn measure() -> (String, bool) {
    let line = scenario();
    let start = Instant::now();
    let verdicts = judge_line(&line)
        .expect("the scenario is legal")
        .lines()
        .count();

    let took = start.elapsed();
    let text = format!(
        "{verdicts} looks, from reading the scenario to writing the verdicts: {:.2} s of {} s",
        took.as_secs_f64(),
        LIMIT.as_secs()
    );
    (text, took <= LIMIT)
}

/// A scenario that is never decided before its end.
fn scenario() -> String {
    let mut minutes = String::new();
    for t in 1..=MINUTES {
        let bad = u8::from(t % 10 == 0);
        let good = 60 - bad;
        let canary = format!(
            r#"{{"n":60,"ok":{good},"r5":{bad},"timed":60,"slow_r":[4,0,0],"slow_p":[3,0,0]}}"#
        );
        let separator = if t > 1 { "," } else { "" };
        write!(
            minutes,
            r#"{separator}{{"t":{t},"c":{canary},"b":{{"n":540,"ok":539,"r5":1,"timed":540,"slow":[54,5,1]}}}}"#
        )
        .expect("a string takes what is written");
    }

    let config = format!(r#"{{"end":{MINUTES},"min_minutes":{MINUTES}}}"#);
    format!(
        r#"{{"v":2,"id":"long","config":{config},"thresholds_ms":[216,404,606],"minutes":[{minutes}]}}"#
    )
}
