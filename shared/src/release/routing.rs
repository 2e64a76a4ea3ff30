//! What the last release of a pair left behind: the next one uses it where the route alone is
//! ambiguous, and the sweep where a stack update has reset the weights.

use serde::{Deserialize, Serialize};

use super::deploy_role::is_in_place_of;
use super::{DeployRole, Outcome, PairTarget, SuspendedStickiness};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::record::RecordPair;
use crate::observed::route::{Route, RouteView};
use crate::observed::scaling::RecordedScaling;
use crate::observed::weights::Weights;

/// The live colour, its weights, and what is suspended and still to be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKnownRouting {
    pub live: Colour,
    pub weights: Weights,
    /// What was suspended of a colour's automatic scaling before it was suspended by a release that
    /// did not restore it.
    pub scaling_to_restore: PerColour<Option<RecordedScaling>>,
    /// The stickiness of the rule that a release switched off when it returned the traffic.
    pub stickiness: Option<SuspendedStickiness>,
    /// Where the weights were set; none in leases that were written before it was recorded.
    pub rule: Option<KnownRule>,
}

/// The stored form of a route, in which a rule is `arn`.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Route")]
enum KnownRoute {
    #[serde(rename = "arn")]
    Rule(String),
    #[serde(rename = "record")]
    Record(Box<RecordPair>),
}

/// The production rule of a pair, or its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRule {
    #[serde(flatten, with = "KnownRoute")]
    pub route: Route,
    /// ARN of the group of each colour.
    pub target_groups: PerColour<String>,
    /// The role of the last release that had one, under which the weights are repaired; none for
    /// the functions' own credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_role: Option<DeployRole>,
    /// The names of the services behind it, if the pipeline gave them; see [`Self::services`].
    #[serde(default, rename = "services", skip_serializing_if = "Option::is_none")]
    pub given_services: Option<PerColour<String>>,
}

impl KnownRule {
    /// The names of the services behind it, where `pair` is the name or the ARN in the lease.
    #[must_use]
    pub fn services(&self, pair: &str) -> PerColour<String> {
        PerColour::services(self.given_services.as_ref(), pair)
    }

    /// The target group of each colour.
    #[must_use]
    pub fn groups(&self) -> PerColour<&str> {
        PerColour {
            blue: &self.target_groups.blue,
            green: &self.target_groups.green,
        }
    }

    /// The weights of both colours; none when the route does not lead to both any more. Those of
    /// records are read whatever else a stack update changed with them.
    #[must_use]
    pub fn weights_in(&self, route: RouteView<'_>) -> Option<Weights> {
        match (&self.route, route) {
            (Route::Record(pair), RouteView::Record(sets)) => pair.key.weights(sets),
            _ => self.route.weights_in(route, self.groups()).ok(),
        }
    }

    /// Where records lead now, if not to where they did in the last release.
    #[must_use]
    pub fn new_targets_in(&self, route: RouteView<'_>) -> Option<PerColour<String>> {
        match (&self.route, route) {
            (Route::Record(pair), RouteView::Record(sets)) => pair.new_targets(sets),
            _ => None,
        }
    }
}

impl LastKnownRouting {
    /// Whether it is of these services of `pair`, in the place of `route`: what was left of others,
    /// or of the same with their colours changed, does not show which of these is live.
    #[must_use]
    pub fn is_of(&self, services: &PerColour<String>, pair: &str, route: &Route) -> bool {
        let known = self.rule.as_ref();
        let given = known.and_then(|known| known.given_services.as_ref());
        PerColour::services(given, pair) == *services && self.is_beside(route)
    }

    fn routes_by(&self, route: &Route) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.route == *route)
    }

    /// Whether its route is in the place of this one: pairs of one name in two places share a
    /// lease.
    fn is_beside(&self, route: &Route) -> bool {
        let known = self.rule.as_ref();
        known.is_none_or(|known| is_beside(&known.route, route))
    }

    /// What is known after the release of the pair `name` closed with `outcome`, given what was
    /// known `before`. A superseded release leaves the values unchanged, unless it had returned the
    /// traffic and switched stickiness off for that. A manual one leaves the role unchanged.
    pub(super) fn after(
        (name, pair): (&str, &PairTarget),
        outcome: Outcome,
        role: Option<&DeployRole>,
        before: Option<Self>,
    ) -> Option<Self> {
        if outcome == Outcome::Superseded && pair.stickiness.is_none() {
            return before;
        }

        let route = &pair.prior.route;
        let owed = before.as_ref().filter(|known| known.routes_by(route));
        let owed = owed.and_then(|known| known.stickiness);
        let promoted = pair.shift.as_ref().filter(|_| outcome == Outcome::Deployed);
        let live = if promoted.is_some() {
            pair.prior.idle()
        } else {
            pair.prior.live
        };

        let services = pair.prior.services(name);
        let of_same = before
            .as_ref()
            .filter(|known| known.is_of(&services, name, route));
        let to_restore = of_same.map(|known| known.scaling_to_restore);
        let before = before.filter(|before| before.is_beside(route));
        let known_rule = before.and_then(|before| before.rule);
        let known_role = known_rule.and_then(|rule| rule.deploy_role);
        let scaling_to_restore = PerColour::from_fn(|colour| match pair.scale_in_suspended {
            Some(true) => pair.prior.of(colour).scaling(),
            Some(false) => None,
            None => to_restore.and_then(|to_restore| *to_restore.of(colour)),
        });

        Some(Self {
            live,
            weights: promoted.map_or(pair.prior.weights(), |shift| shift.to),
            scaling_to_restore,
            stickiness: pair.stickiness.or(owed),
            rule: Some(KnownRule {
                route: route.clone(),
                target_groups: PerColour::from_fn(|colour| {
                    pair.prior.of(colour).target_group.clone()
                }),
                deploy_role: role.cloned().or(known_role),
                given_services: pair.prior.given_services.clone(),
            }),
        })
    }
}

/// Whether two routes are in one place: rules of one region and one account, or records of one name
/// in one zone. A route of the other kind is that of another pair, as far as is known.
fn is_beside(known: &Route, other: &Route) -> bool {
    match (known, other) {
        (Route::Rule(known), Route::Rule(other)) => is_in_place_of(known, other),
        (Route::Record(known), Route::Record(other)) => {
            known.key.zone == other.key.zone && known.key.name == other.key.name
        }
        (Route::Rule(_), Route::Record(_)) | (Route::Record(_), Route::Rule(_)) => false,
    }
}
