//! Invariant 8 for the weights of a pair that operators set: a release leaves them alone.

use std::collections::BTreeMap;

use super::endings::Routes;
use super::lease::{Leases, Weights, announced_weights};
use super::{Invariants, Ledger, number};
use crate::ledger_reader::text;
use crate::pair_services::COLOURS;
use crate::routes::{Forwards, forwards, route_of};
use emulator::{Aws, Call, Millis};

/// The weights that operators set last, by route.
#[derive(Clone, Debug, Default)]
pub(super) struct WeightsByHand {
    set: BTreeMap<String, Set>,
}

#[derive(Clone, Debug)]
struct Set {
    forwards: Forwards,
    at: Millis,
}

impl Invariants {
    /// An operator changed a service, other than by a release.
    ///
    /// # Errors
    /// The invariant that does not hold, with what was found.
    pub fn changed_by_hand(&mut self, aws: &Aws, on_purpose: bool) -> Result<(), String> {
        self.by_hand.push(aws.now);
        self.traffic.resume(aws);
        self.lease.changed_by_hand(aws);
        self.pushes.changed_by_hand(aws, on_purpose)
    }

    /// An operator set the weights of this route.
    pub fn weights_set_by_hand(&mut self, aws: &Aws, route: &str) {
        self.weights_by_hand.note(aws, route);
    }
}

impl WeightsByHand {
    /// An operator has just set the weights of a route.
    pub(super) fn note(&mut self, aws: &Aws, route: &str) {
        let set = Set {
            forwards: forwards(aws, route),
            at: aws.now,
        };
        self.set.insert(route.to_owned(), set);
    }

    /// Weights that an operator set during a release, and that the function that changes the rule
    /// saw in `routes`, are left alone.
    ///
    /// Not those that an invocation of the same release had announced and could still set when the
    /// operator did, or later, nor those of which the lease leaves that open: then the function
    /// that makes this call cannot distinguish the two, and going back comes first.
    pub(super) fn left_alone(
        &self,
        aws: &Aws,
        call: &Call,
        ledger: &Ledger,
        leases: &Leases,
        routes: &Routes,
    ) -> Result<u64, String> {
        let mut checked = 0;
        for lease in ledger.leases.values() {
            let Some(pair) = lease.pointer("/release/M/prior/M/pair/M") else {
                continue;
            };
            let route = route_of(pair).unwrap_or_default();
            let (Some(set), Some(seen)) = (self.set.get(&route), routes.get(&route)) else {
                continue;
            };

            let found = COLOURS.map(|colour| {
                let group = text(pair, &format!("{colour}.target_group"))?;
                seen.iter()
                    .find(|(of, _)| of == group)
                    .map(|(_, weight)| *weight)
            });
            let recorded: Weights = COLOURS.map(|colour| {
                let weight = number(pair, &format!("{colour}.weight"))?;
                i64::try_from(weight).ok()
            });
            // Weights of neither colour would be those of a release that has announced none yet.
            let is_of_pair = found.iter().all(Option::is_some);
            let is_ours = [recorded, announced_weights(lease)].contains(&found);
            let execution = text(lease, "release.execution").unwrap_or_default();
            let may_be_ours =
                is_of_pair && (is_ours || leases.may_be_own(call, execution, found, set.at));

            if *seen == set.forwards && !may_be_ours && forwards(aws, &route) != set.forwards {
                return Err(format!(
                    "invariant 8: the weights had been set outside the release to {found:?}, and \
                    they were overwritten"
                ));
            }
            checked += 1;
        }
        Ok(checked)
    }
}

#[cfg(test)]
mod tests;
