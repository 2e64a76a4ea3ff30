//! The readings of a bake: one of every metric in every minute that has arrived whole.
//!
//! What a point means is decided by its source; here only which minutes are read.

use std::collections::BTreeMap;

use super::arrival::{Arrivals, FINAL_SECS, agrees, is_contradictory, is_steady};
use super::bake_state::BakeState;
use super::config::Settings;
use crate::judge::clean::{Reading, SideCounts};
use crate::metrics::source::{Data, Group, Observations, Side};
use crate::metrics::sources;

/// The readings of all metrics, by minute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings(BTreeMap<(u32, usize), Reading>);

/// What readings are made from.
#[derive(Clone, Copy, Debug)]
pub struct ReadingInput<'a> {
    pub data: &'a Data,
    pub settings: &'a Settings,
    pub state: &'a BakeState,
    /// The arrivals of this evaluation.
    pub arrivals: &'a Arrivals,
    /// Seconds since the Unix epoch.
    pub now_secs: i64,
}

impl Readings {
    /// The readings of minutes 1 to `last`, in the order of [`Settings::metrics`]. A minute that
    /// has not arrived whole is not read.
    #[must_use]
    pub(crate) fn from_points(input: &ReadingInput<'_>, last: u32) -> Self {
        let ReadingInput {
            data,
            settings,
            state,
            arrivals,
            now_secs,
        } = *input;
        let observed = Observations {
            data,
            now_secs,
            usual_error_rate: state.rate,
            dispersion: settings
                .judge
                .dispersion_errors
                .max(state.dispersion_errors),
        };
        let sources = sources(settings.source_settings(&state.thresholds_ms));
        // What the hour before showed of the live colour need not hold for the new one, such as one
        // that is too slow to respond in time.
        let canary_agrees = agrees(data, Side::Canary, (now_secs - FINAL_SECS).div_euclid(60));

        let mut readings = BTreeMap::new();
        for minute in 1..=last {
            let at = state.first + i64::from(minute) - 1;
            let contradicts =
                |side, agrees| state.agrees && agrees && is_contradictory(data, side, at);
            let is_readable = |group| {
                let has_arrived = is_steady(arrivals, state.first, minute, group, now_secs);
                let is_doubtful = group == Group::Errors
                    && (contradicts(Side::Canary, canary_agrees)
                        || contradicts(Side::Baseline, true));
                has_arrived && !is_doubtful
            };

            let judged = sources
                .iter()
                .flat_map(|source| source.readings(&observed, at));
            for (metric, (group, reading)) in judged.enumerate() {
                if is_readable(group) {
                    readings.insert((minute, metric), reading);
                }
            }
        }
        Self(readings)
    }

    /// What is known of a minute and a metric.
    #[must_use]
    pub fn get(&self, minute: u32, metric: usize) -> Reading {
        self.0.get(&(minute, metric)).copied().unwrap_or_default()
    }

    /// In how many minutes both sides of a metric are known.
    #[must_use]
    pub fn usable(&self, metric: usize, last: u32) -> usize {
        let known = |side: SideCounts| {
            side.bad.is_some() && side.requests.is_some_and(|requests| requests > 0)
        };

        let minutes = (1..=last).map(|minute| self.get(minute, metric));
        minutes
            .filter(|reading| known(reading.canary) && known(reading.baseline))
            .count()
    }
}

#[cfg(test)]
mod tests;
