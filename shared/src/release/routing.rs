//! What the last release of a pair left behind: the next one uses it where the production rule
//! alone is ambiguous, and the sweep where a stack update has reset the rule.

use serde::{Deserialize, Serialize};

use super::{DeployRole, Outcome, PairTarget};
use crate::observed::colour::{Colour, PerColour};
use crate::observed::listener_rule::RuleView;
use crate::observed::weights::Weights;

/// The live colour, its weights, and the scale-in settings that are still to be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastKnownRouting {
    pub live: Colour,
    pub weights: Weights,
    /// Whether scale-in of a colour was suspended before it was suspended by a release that did not
    /// restore it.
    pub scale_in_to_restore: PerColour<Option<bool>>,
    /// Where the weights were set; none in leases that were written before it was recorded.
    pub rule: Option<KnownRule>,
}

/// The production rule of a pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRule {
    /// ARN of the listener rule, or of the listener whose default action it is.
    pub arn: String,
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

    /// The weights of both colours; none when the rule does not forward to both groups any more.
    #[must_use]
    pub fn weights_in(&self, rule: &RuleView) -> Option<Weights> {
        Some(Weights {
            blue: rule.weight(&self.target_groups.blue)?,
            green: rule.weight(&self.target_groups.green)?,
        })
    }
}

impl LastKnownRouting {
    /// Whether it is of these services of `pair`: what was left of others, or of the same with
    /// their colours changed, does not show which of these is live.
    #[must_use]
    pub fn is_of(&self, services: &PerColour<String>, pair: &str) -> bool {
        let rule = self.rule.as_ref();
        let given = rule.and_then(|rule| rule.given_services.as_ref());
        PerColour::services(given, pair) == *services
    }

    /// What is known after the release of the pair `name` closed with `outcome`, given what was
    /// known `before`. A superseded release leaves the values unchanged, and one by hand the role.
    pub(super) fn after(
        (name, pair): (&str, &PairTarget),
        outcome: Outcome,
        role: Option<&DeployRole>,
        before: Option<Self>,
    ) -> Option<Self> {
        if outcome == Outcome::Superseded {
            return before;
        }

        let promoted = pair.shift.as_ref().filter(|_| outcome == Outcome::Deployed);
        let live = if promoted.is_some() {
            pair.prior.idle()
        } else {
            pair.prior.live
        };

        let services = pair.prior.services(name);
        let of_same = before.as_ref().filter(|known| known.is_of(&services, name));
        let owed = of_same.map(|known| known.scale_in_to_restore);
        let known_rule = before.and_then(|before| before.rule);
        let known_role = known_rule.and_then(|rule| rule.deploy_role);
        let scale_in_to_restore = PerColour::from_fn(|colour| match pair.scale_in_suspended {
            Some(true) => pair.prior.of(colour).suspended,
            Some(false) => None,
            None => owed.and_then(|owed| *owed.of(colour)),
        });

        Some(Self {
            live,
            weights: promoted.map_or(pair.prior.weights(), |shift| shift.to),
            scale_in_to_restore,
            rule: Some(KnownRule {
                arn: pair.prior.rule.clone(),
                target_groups: PerColour::from_fn(|colour| {
                    pair.prior.of(colour).target_group.clone()
                }),
                deploy_role: role.cloned().or(known_role),
                given_services: pair.prior.given_services.clone(),
            }),
        })
    }
}
