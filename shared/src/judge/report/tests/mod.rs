//! Judgements that the tests of records, tables and pages share.

mod page;
mod record;
mod table;

use super::*;
use crate::judge::clean::{Reading, SideCounts};
use crate::judge::progress::{PROGRESS_VERSION, Peak};
use crate::judge::{JudgeConfig, Progress};

/// This many canary requests and bad ones beside 9,000 and 9 of the baseline.
fn reading(requests: u64, bad: u64) -> Reading {
    let side = |requests, bad| SideCounts {
        requests: Some(requests),
        bad: Some(bad),
    };

    Reading {
        canary: side(requests, bad),
        baseline: side(9_000, 9),
        canary_bad_promote: Some(bad),
    }
}

fn config(end: u32) -> JudgeConfig {
    JudgeConfig {
        end,
        ..JudgeConfig::default()
    }
}

fn live(config: JudgeConfig, highest: Option<Peak>, now: u32) -> Live {
    let progress = Progress {
        v: PROGRESS_VERSION,
        skipped: [].into(),
        highest,
    };
    let metrics = config.metrics(&[]);

    Live {
        name: "shop".to_owned(),
        config,
        metrics,
        progress,
        now,
    }
}

fn judged(end: u32, now: u32, read: impl Fn(u32) -> Reading) -> Judgement {
    Judgement::from_live(live(config(end), None, now), |minute, _| read(minute)).unwrap()
}

/// Three healthy minutes of thirty.
fn undecided() -> Judgement {
    judged(30, 3, |_| reading(1_000, 1))
}
