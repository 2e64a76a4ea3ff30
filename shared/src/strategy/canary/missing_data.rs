//! What was not measured: a metric without data is never a pass.
//!
//! It decides nothing about a canary that is measured. What is missing keeps a healthy one from its
//! promotion, and explains a decision that is still open.

use std::collections::BTreeMap;

use super::bake_state::BakeState;
use super::config::Settings;
use super::messages;
use super::plan::{known_counts, place};
use crate::judge::Decision;
use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::counts::Minute;
use crate::metrics::source::{Data, SourceCount};

/// The reason of an open decision, after what is missing if a side has had no requests.
pub(super) fn with_missing_requests(
    decision: Decision,
    reason: String,
    minutes: &BTreeMap<u32, Arrived>,
    minute: u32,
) -> String {
    let is_open = matches!(decision, Decision::Continue | Decision::Inconclusive);
    match missing_requests(minutes, minute).filter(|_| is_open) {
        Some(missing) => format!("{missing}; {reason}"),
        None => reason,
    }
}

/// What is missing if a side has had no requests.
fn missing_requests(minutes: &BTreeMap<u32, Arrived>, minute: u32) -> Option<String> {
    let total = |side: fn(&Minute) -> Option<u64>| -> u64 {
        minutes
            .values()
            .filter_map(|arrived| side(&arrived.minute))
            .sum()
    };
    let canary = total(|minute| minute.canary.requests);
    let baseline = total(|minute| minute.baseline.requests);
    messages::no_requests(minute, canary, baseline)
}

/// Why nothing may be promoted yet: a metric beside errors and latency that has no data is never a
/// pass, whichever source it is from.
pub(super) fn without_data(
    settings: &Settings,
    state: &BakeState,
    data: &Data,
    minutes: &BTreeMap<u32, Arrived>,
) -> Option<String> {
    let counts = settings.source_counts();
    unmeasured(settings, minutes).or_else(|| never_counted(&counts, state, data))
}

/// Why nothing may be promoted by a metric that is known in too few minutes.
fn unmeasured(settings: &Settings, minutes: &BTreeMap<u32, Arrived>) -> Option<String> {
    let counts = settings.counts();
    let is_known = |arrived: &Arrived, place: usize| {
        let sides = [&arrived.minute.canary, &arrived.minute.baseline];
        sides.iter().all(|side| {
            let own = side.own.get(place);
            own.is_some_and(|own| own.bad.is_some() && own.total.is_some_and(|n| n > 0))
        })
    };
    let usable = |place: usize| {
        let known = minutes.values().filter(|arrived| is_known(arrived, place));
        known.count()
    };
    let counted = counts
        .iter()
        .enumerate()
        .find_map(|(place, count)| messages::unmeasured(&count.name, usable(place)));
    counted.or_else(|| unmeasured_series(settings, minutes))
}

/// The same of a series of values.
fn unmeasured_series(settings: &Settings, minutes: &BTreeMap<u32, Arrived>) -> Option<String> {
    let series = settings.series();
    let mut places = series.iter().enumerate();
    places.find_map(|(place, series)| {
        let has_value = |arrived: &&Arrived| {
            let sides = [&arrived.minute.canary, &arrived.minute.baseline];
            let mut values = sides.iter().map(|side| side.values.get(place));
            values.all(|value| value.is_some_and(Option::is_some))
        };
        let warm_up = settings.judge.warm_up;
        let warm = minutes
            .range(warm_up.saturating_add(1)..)
            .map(|(_, arrived)| arrived);
        messages::unmeasured(&series.name, warm.filter(has_value).count())
    })
}

/// Why nothing may be promoted by a count, whichever source it is from, whose events never had a
/// value: that they are absent would count as 0, and their name may be wrong.
fn never_counted(counts: &[SourceCount], state: &BakeState, data: &Data) -> Option<String> {
    let known = known_counts(counts, data);
    let is_known = |place: usize| known.contains(&place) || state.known_counts.contains(&place);
    let (_, count) = counts
        .iter()
        .enumerate()
        .find(|(nth, count)| !is_known(place(*nth, count)))?;
    Some(messages::never_counted(
        &count.judged.name,
        &count.events_name,
    ))
}

#[cfg(test)]
mod tests;
