//! Invariant 1 while a new colour has traffic: it is healthy enough for it, or lacks health no
//! longer than that may last.

use std::collections::BTreeMap;

use serde_json::Value;

use super::endings::{Endings, Observation, Routes, ends_undecided, is_blind};
use super::pair::other;
use super::{Ledger, number};
use crate::ledger_reader::text;
use crate::pair_services::behind;
use crate::routes::route_of;
use emulator::{Aws, Call, Millis};

/// How long a new colour may lack healthy targets while it has some, in milliseconds.
const LASTS: Millis = 120_000;

/// The same while the old colour lacks them too.
const BOTH_LAST: Millis = 600_000;

/// How much later than the first look a loss may be known, if that look could not write it down.
const KNOWN_LATER: Millis = 180_000;

/// New colours that were seen with traffic.
#[derive(Clone, Debug, Default)]
pub(super) struct Baking {
    /// Of the tasks that a new colour was filled with, how many percent must be healthy.
    pub(super) percent: u32,
    /// Since when looks have seen too few healthy targets, by execution.
    short_since: BTreeMap<String, Millis>,
}

/// Healthy targets of a colour, and how many it needs.
#[derive(Clone, Copy, Debug)]
struct Health {
    healthy: u64,
    needed: u64,
}

impl Health {
    fn of(observation: &Observation, group: &str, tasks: u64, percent: u32) -> Self {
        let healthy = observation.healthy.get(group).copied().unwrap_or(0);
        Self {
            healthy: healthy as u64,
            needed: (tasks * u64::from(percent)).div_ceil(100),
        }
    }

    fn is_short(self) -> bool {
        self.healthy < self.needed
    }
}

impl Baking {
    /// A swap or a judgement goes on only while the new colour is healthy enough for the traffic
    /// that it has, or while it gives it back. Too few healthy targets are waited for as long as
    /// [`LASTS`], none only where the old colour has none. A function that was throttled before it
    /// saw the targets, that could not read a response, whose time ran out while it waited for a
    /// response, or whose decision the ledger did not take, reports nothing about them and tries
    /// again; one whose call was made again saw them.
    pub(super) fn went_on(
        &mut self,
        aws: &Aws,
        call: &Call,
        ledger: &Ledger,
        endings: &Endings,
    ) -> Result<(), String> {
        let seen = call
            .attempt
            .and_then(|attempt| endings.observations_of(attempt));
        let Some((observations, routes)) = seen else {
            return Ok(());
        };
        let judges = ["swap-target-groups", "swap-records", "evaluate-canary"];
        if !judges
            .iter()
            .any(|function| call.caller.ends_with(function))
        {
            return Ok(());
        }

        let ours = |other: &&Call| other.attempt == call.attempt;
        let mut earlier = aws
            .calls
            .iter()
            .rev()
            .filter(ours)
            .filter(|other| other.at < call.at);
        if earlier
            .next()
            .is_some_and(|last| ends_undecided(last, call))
        {
            return Ok(());
        }

        let Some(lease) = ledger.open() else {
            return Ok(());
        };
        let ended_early = || is_blind(aws.calls.iter().rev().filter(ours));
        let health = self.health(aws, lease, observations, routes, ended_early);
        health.map_or(Ok(()), |both| self.check(call, lease, both))
    }

    /// The health of the new and of the old colour, if the new one has traffic that it keeps and
    /// the look saw its targets. `ended_early` is whether it may have ended before.
    fn health(
        &self,
        aws: &Aws,
        lease: &Value,
        observations: &[Observation],
        routes: &Routes,
        ended_early: impl Fn() -> bool,
    ) -> Option<[Health; 2]> {
        let pair = lease.pointer("/release/M/prior/M/pair/M")?;
        let old = text(pair, "live").unwrap_or_default();
        let group = |colour: &str| text(pair, &format!("{colour}.target_group"));
        let (new_group, old_group) = (group(other(old))?, group(old)?);
        let route = route_of(pair).unwrap_or_default();
        let weights = routes.get(&route)?;
        let has_traffic = weights
            .iter()
            .any(|(of, weight)| of == new_group && *weight > 0);
        let goes_back = lease.pointer("/release/M/restoring").is_some();
        if !has_traffic || goes_back {
            return None;
        }

        let observation = |group: &str| {
            let name = behind(aws, lease, Some(group)).map_or("", |service| service.name.as_str());
            observations
                .iter()
                .find(|observation| observation.service == name)
        };
        let (new, old) = (observation(new_group)?, observation(old_group));
        let is_unread = |observation: &Observation, group: &str| {
            observation.groups.iter().any(|of| of == group)
                && !observation.healthy.contains_key(group)
        };
        let is_unseen = !new.healthy.contains_key(new_group)
            || old.is_some_and(|old| is_unread(old, old_group));
        if is_unseen && ended_early() {
            return None;
        }

        let filled = number(lease, "release.change.desired_count").unwrap_or(1);
        let of_new = Health::of(new, new_group, filled, self.percent);
        let of_old = old.map(|old| Health::of(old, old_group, old.desired as u64, self.percent));
        let absent = Health {
            healthy: 0,
            needed: 0,
        };
        Some([of_new, of_old.unwrap_or(absent)])
    }

    /// A new colour that lacks healthy targets may keep its traffic for a while.
    fn check(&mut self, call: &Call, lease: &Value, both: [Health; 2]) -> Result<(), String> {
        let [new, old] = both;
        let execution = text(lease, "release.execution").unwrap_or_default();
        if !new.is_short() {
            self.short_since.remove(execution);
            return Ok(());
        }

        let since = self.short_since.entry(execution.to_owned());
        let lasted = call.at - *since.or_insert(call.at);
        let lasts = if old.is_short() { BOTH_LAST } else { LASTS };
        let is_dead = new.healthy == 0 && !old.is_short();
        if is_dead || lasted > lasts + KNOWN_LATER {
            return Err(format!(
                "invariant 1: the shift of {execution} went on with {} healthy targets of {} \
                 needed, {lasted} ms after that was seen first",
                new.healthy, new.needed
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(baking: &mut Baking, at: Millis, new: [u64; 2], old: [u64; 2]) -> bool {
        let call = Call {
            at,
            caller: "functions/swap-target-groups".to_owned(),
            service: "codepipeline".to_owned(),
            operation: "PutJobSuccessResult".to_owned(),
            error: None,
            attempt: Some(1),
            cut_off: false,
        };
        let lease = json!({"release": {"M": {"execution": {"S": "e-1"}}}});
        let both = [new, old].map(|[healthy, needed]| Health { healthy, needed });
        baking.check(&call, &lease, both).is_ok()
    }

    #[test]
    fn a_colour_lacks_health_for_a_while_and_not_longer() {
        let (few, enough, old) = ([1, 2], [2, 2], [2, 2]);
        let baking = &mut Baking::default();
        assert!(checked(baking, 0, few, old));
        assert!(checked(baking, LASTS + KNOWN_LATER, few, old));
        assert!(!checked(baking, LASTS + KNOWN_LATER + 1, few, old));

        // What was regained is lost anew.
        assert!(checked(baking, 400_000, enough, old));
        assert!(checked(baking, 500_000, few, old));
        assert!(checked(baking, 500_000 + LASTS + KNOWN_LATER, few, old));
    }

    #[test]
    fn a_colour_without_health_keeps_traffic_only_where_the_other_one_lacks_it_too() {
        let (none, old_lacks) = ([0, 2], [0, 2]);
        assert!(!checked(&mut Baking::default(), 0, none, [2, 2]));

        let baking = &mut Baking::default();
        assert!(checked(baking, 0, none, old_lacks));
        assert!(checked(baking, BOTH_LAST + KNOWN_LATER, none, old_lacks));
        assert!(!checked(
            baking,
            BOTH_LAST + KNOWN_LATER + 1,
            none,
            old_lacks
        ));
    }
}
