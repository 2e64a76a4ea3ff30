//! The minutes of a bake as the judge reads them: what is settled of each.

use super::arrival::{Arrivals, is_settled};
use super::bake_state::BakeState;
use super::config::Settings;
use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::counts::{Counters, Minute};
use crate::metrics::minute;
use crate::metrics::source::{Data, Group, Observations};

/// What minutes are made from.
#[derive(Clone, Copy, Debug)]
pub struct MinuteInput<'a> {
    pub data: &'a Data,
    pub settings: &'a Settings,
    pub state: &'a BakeState,
    /// The arrivals of this evaluation.
    pub arrivals: &'a Arrivals,
    /// Seconds since the Unix epoch.
    pub now_secs: i64,
}

impl MinuteInput<'_> {
    /// A judged minute, from 1. What is not settled is not in it.
    #[must_use]
    pub fn arrived(&self, judged: u32) -> Arrived {
        let observed = Observations {
            data: self.data,
            now_secs: self.now_secs,
        };
        let settings = self.settings.source_settings(&self.state.thresholds_ms);
        let at = self.state.first + i64::from(judged) - 1;
        let mut found = minute(&observed, &settings, at);

        let mut is_final = true;
        for group in [Group::Answers, Group::Latency, Group::Custom] {
            if !is_settled(self.arrivals, judged, group, self.now_secs) {
                is_final = false;
                forget(&mut found, group);
            }
        }
        Arrived {
            minute: found,
            is_final,
        }
    }
}

fn forget(minute: &mut Minute, group: Group) {
    for side in [&mut minute.canary, &mut minute.baseline] {
        let known = std::mem::take(side);
        *side = match group {
            Group::Answers => Counters {
                timed: known.timed,
                slow: known.slow,
                slow_to_promote: known.slow_to_promote,
                own: known.own,
                values: known.values,
                ..Counters::default()
            },
            Group::Latency => Counters {
                timed: None,
                slow: Vec::new(),
                slow_to_promote: Vec::new(),
                ..known
            },
            Group::Custom => Counters {
                own: known.own.iter().map(|_| Default::default()).collect(),
                values: known.values.iter().map(|_| None).collect(),
                ..known
            },
        };
    }
}

#[cfg(test)]
mod tests;
