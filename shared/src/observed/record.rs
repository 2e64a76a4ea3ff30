//! Two weighted records of Route 53 that route the traffic of a pair, as one observation saw them.
//!
//! A record whose weights alone do not determine where its queries go, or that has changed, is
//! protected: it is refused with its reason. How records are read and written is a matter of
//! `aws::Records` alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::colour::{Colour, PerColour};
use super::weights::Weights;
use crate::limits::{ALIAS_TTL, RECORD_TTL};

/// The types of records that give a client the address to connect to.
const ADDRESSES: [&str; 5] = ["A", "AAAA", "CNAME", "HTTPS", "SVCB"];

/// Where the two records of a pair are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordKey {
    /// Id of the hosted zone.
    pub zone: String,
    /// As Route 53 lists it: in small letters, with a dot at its end.
    pub name: String,
    /// `A`, `AAAA` or `CNAME`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The set identifier of each colour's record.
    pub identifiers: PerColour<String>,
}

/// The two records of a pair, as they were when its release began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPair {
    pub key: RecordKey,
    /// Where each colour's record leads.
    pub targets: PerColour<String>,
    /// For how many seconds a resolver may keep a DNS answer.
    pub ttl: u32,
}

/// A record set of the name, whatever its type and its routing policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSetView {
    pub kind: String,
    pub identifier: Option<String>,
    /// 0 to 255; none with another routing policy than weighted.
    pub weight: Option<u32>,
    /// Seconds; an alias has none of its own.
    pub ttl: Option<u32>,
    /// Its values, or the name that it is an alias of.
    pub target: String,
    /// The zone of the name that it is an alias of.
    pub alias_zone: Option<String>,
    /// Whether Route 53 leaves it out of its answers while it is unhealthy: by a health check, or
    /// by the health of the alias's target.
    pub checks_health: bool,
    /// Whether a traffic policy owns it.
    pub by_policy: bool,
}

/// Both records of a pair as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordView {
    pub weights: Weights,
    pub pair: RecordPair,
}

/// Why the weights of a record are not moved.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the {kind} record {name} {reason}")]
pub struct ProtectedRecord {
    pub name: String,
    pub kind: String,
    pub reason: Protection,
}

#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Protection {
    #[error("does not exist; expected two weighted records with this name and type")]
    Absent,
    #[error(
        "is beside one of type {found}, which clients may use too and no release moves; expected \
         one type of address with this name; remove the other"
    )]
    OtherType { found: String },
    #[error(
        "has a routing policy other than weighted; expected two weighted records; create them \
         with a set identifier and a weight each"
    )]
    NotWeighted,
    #[error("is managed by a traffic policy, which sets its weights; expected records without one")]
    TrafficPolicy,
    #[error("has the set identifiers {found}; expected exactly {expected}")]
    Identifiers { found: String, expected: String },
    #[error(
        "checks the health of {checked}: while a record is unhealthy, Route 53 answers with the \
         other one, at weight 0 too; expected no health check, and EvaluateTargetHealth false"
    )]
    ChecksHealth { checked: String },
    #[error("leads to {target} for both colours; expected a target of its own for each")]
    SameTarget { target: String },
    #[error(
        "is an alias of {target} in its own zone, which has a TTL that the alias does not show; \
         expected an alias of a load balancer, or a record with values"
    )]
    AliasOfRecord { target: String },
    #[error(
        "has a TTL of {ttl} s; expected at most {} s, for which each step waits",
        RECORD_TTL.as_secs()
    )]
    LongTtl { ttl: u32 },
    #[error(
        "leads to {found} for {colour}; expected {expected} as when the release began: another \
         writer changed it"
    )]
    Changed {
        colour: Colour,
        found: String,
        expected: String,
    },
    #[error(
        "has a TTL of {found} s; expected at most {expected} s as when the release began: another \
         writer changed it"
    )]
    ChangedTtl { found: u32, expected: u32 },
}

impl RecordKey {
    /// Both records among all record sets of the name, as a release may begin with them.
    ///
    /// # Errors
    /// Why they are protected.
    pub fn view(&self, sets: &[RecordSetView]) -> Result<RecordView, ProtectedRecord> {
        let seen = match self.weighted(sets) {
            Ok(both) if both.blue.checks_health && both.green.checks_health => {
                Err(Protection::ChecksHealth {
                    checked: "both colours".to_owned(),
                })
            }
            _ => self.read(sets),
        };
        seen.map_err(|reason| self.protected(reason))
    }

    fn protected(&self, reason: Protection) -> ProtectedRecord {
        ProtectedRecord {
            name: self.name.clone(),
            kind: self.kind.clone(),
            reason,
        }
    }

    fn read(&self, sets: &[RecordSetView]) -> Result<RecordView, Protection> {
        let is_other =
            |set: &&RecordSetView| set.kind != self.kind && ADDRESSES.contains(&set.kind.as_str());
        if let Some(other) = sets.iter().find(is_other) {
            return Err(Protection::OtherType {
                found: other.kind.clone(),
            });
        }

        let both = self.weighted(sets)?;
        check_health(&both)?;
        if both.blue.target == both.green.target {
            return Err(Protection::SameTarget {
                target: both.blue.target.clone(),
            });
        }

        Ok(RecordView {
            weights: weights_of(&both),
            pair: RecordPair {
                key: self.clone(),
                targets: targets_of(&both),
                ttl: self.ttl(&both)?,
            },
        })
    }

    /// The weights of both records, whatever else keeps a release from moving them; none unless
    /// there are exactly the two, both weighted.
    #[must_use]
    pub fn weights(&self, sets: &[RecordSetView]) -> Option<Weights> {
        self.weighted(sets).ok().map(|both| weights_of(&both))
    }

    /// The record of each colour, if both are weighted and there are no others of their type.
    fn weighted<'a>(
        &self,
        sets: &'a [RecordSetView],
    ) -> Result<PerColour<&'a RecordSetView>, Protection> {
        let own: Vec<&RecordSetView> = sets.iter().filter(|set| set.kind == self.kind).collect();
        if own.is_empty() {
            return Err(Protection::Absent);
        }
        if own.iter().any(|set| set.by_policy) {
            return Err(Protection::TrafficPolicy);
        }
        if own.iter().any(|set| set.weight.is_none()) {
            return Err(Protection::NotWeighted);
        }
        self.both(&own)
    }

    /// The record of each colour, if there are no others.
    fn both<'a>(
        &self,
        own: &[&'a RecordSetView],
    ) -> Result<PerColour<&'a RecordSetView>, Protection> {
        let of = |colour: Colour| {
            let identifier = Some(self.identifiers.of(colour));
            own.iter()
                .copied()
                .find(|set| set.identifier.as_ref() == identifier)
        };
        if let (2, Some(blue), Some(green)) = (own.len(), of(Colour::Blue), of(Colour::Green)) {
            return Ok(PerColour { blue, green });
        }

        let found: Vec<&str> = own
            .iter()
            .filter_map(|set| set.identifier.as_deref())
            .collect();
        Err(Protection::Identifiers {
            found: found.join(", "),
            expected: format!("{} and {}", self.identifiers.blue, self.identifiers.green),
        })
    }

    /// The longest time for which an answer may be kept, in seconds.
    fn ttl(&self, both: &PerColour<&RecordSetView>) -> Result<u32, Protection> {
        let mut longest = 0;
        for set in both.as_array() {
            if set.alias_zone.as_ref() == Some(&self.zone) {
                return Err(Protection::AliasOfRecord {
                    target: set.target.clone(),
                });
            }
            longest = longest.max(set.ttl.unwrap_or(whole_secs(ALIAS_TTL)));
        }

        if longest > whole_secs(RECORD_TTL) {
            return Err(Protection::LongTtl { ttl: longest });
        }
        Ok(longest)
    }
}

impl RecordPair {
    /// The weights of both records, if they are still those that the release found.
    ///
    /// # Errors
    /// Why they are protected.
    pub fn weights_in(&self, sets: &[RecordSetView]) -> Result<Weights, ProtectedRecord> {
        let seen = self.key.read(sets);
        let seen = seen.map_err(|reason| self.key.protected(reason))?;
        match self.change(&seen.pair) {
            None => Ok(seen.weights),
            Some(reason) => Err(self.key.protected(reason)),
        }
    }

    /// Where the records lead, if not to where the release found them.
    #[must_use]
    pub fn new_targets(&self, sets: &[RecordSetView]) -> Option<PerColour<String>> {
        let both = self.key.weighted(sets).ok()?;
        Some(targets_of(&both)).filter(|targets| *targets != self.targets)
    }

    /// What another writer changed.
    fn change(&self, seen: &Self) -> Option<Protection> {
        let changed = |colour: Colour| {
            let (found, expected) = (seen.targets.of(colour), self.targets.of(colour));
            (found != expected).then(|| Protection::Changed {
                colour,
                found: found.clone(),
                expected: expected.clone(),
            })
        };
        // A shorter one makes no wait too short.
        let ttl = (seen.ttl > self.ttl).then_some(Protection::ChangedTtl {
            found: seen.ttl,
            expected: self.ttl,
        });
        changed(Colour::Blue)
            .or_else(|| changed(Colour::Green))
            .or(ttl)
    }

    /// What the host names, if it leads to the other colour, alone or too; none if not.
    #[must_use]
    pub fn other_than(&self, colour: Colour, host: &str) -> Option<String> {
        let other = colour.other();
        let host = plain(host);
        if plain(&self.key.name) == host {
            Some("the name of the records".to_owned())
        } else if plain(self.targets.of(other)) == host {
            Some(format!("the load balancer of {other}"))
        } else {
            None
        }
    }

    /// For how long a resolver may keep an answer.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(u64::from(self.ttl))
    }
}

/// Where no record with a weight is healthy, Route 53 answers with those at weight 0 that are, and
/// counts one without a check as healthy (Route 53 Developer Guide: how Route 53 chooses records
/// when health checking is configured). During a release that is the wrong colour, and the idle
/// one has no tasks to answer with at any other time. Where both check, no release begins, but the
/// traffic of an open one goes on, or back.
fn check_health(both: &PerColour<&RecordSetView>) -> Result<(), Protection> {
    let checked = match (both.blue.checks_health, both.green.checks_health) {
        (false, false) | (true, true) => return Ok(()),
        (true, false) => Colour::Blue,
        (false, true) => Colour::Green,
    };
    Err(Protection::ChecksHealth {
        checked: checked.to_string(),
    })
}

fn weights_of(both: &PerColour<&RecordSetView>) -> Weights {
    PerColour::from_fn(|colour| both.of(colour).weight.unwrap_or(0))
}

fn targets_of(both: &PerColour<&RecordSetView>) -> PerColour<String> {
    PerColour::from_fn(|colour| both.of(colour).target.clone())
}

/// One form for all names of a load balancer or of a record.
fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(&name);
    name.strip_prefix("dualstack.").unwrap_or(name).to_owned()
}

fn whole_secs(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests;
