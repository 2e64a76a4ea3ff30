//! A blue/green pair, observed whole: both services with their targets, and the production rule.

use super::{AwsError, Observed, ObservedRule, Rules, Scaling, Sdk, Services};
use crate::job::{Failure, StepError};
use crate::release::Lease;
use crate::strategy::blue_green::{Colour, PairView, PriorPair, ScalingView, Weights};

const COLOURS: [Colour; 2] = [Colour::Blue, Colour::Green];

#[derive(Clone, Debug)]
pub struct Pairs {
    sdk: Sdk,
    services: Services,
    rules: Rules,
    scaling: Scaling,
}

/// A pair as observed, with what must be sent back when it is changed.
#[derive(Clone, Debug)]
pub struct ObservedPair {
    pub view: PairView,
    blue: Observed,
    green: Observed,
    pub rule: ObservedRule,
}

impl ObservedPair {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &Observed {
        match colour {
            Colour::Blue => &self.blue,
            Colour::Green => &self.green,
        }
    }
}

impl Pairs {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            services: Services::new(sdk),
            rules: Rules::new(sdk),
            scaling: Scaling::new(sdk),
        }
    }

    /// The pair that `lease` is of, as it is now. Targets are looked at only of the colours that `health` names; of another one no
    /// target counts as healthy.
    ///
    /// # Errors
    /// A failure when a service or the rule is gone, or the rule no longer sends traffic to both recorded groups.
    pub async fn observe(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        health: &[Colour],
    ) -> Result<ObservedPair, StepError> {
        let rule = self.rules.observe(&pair.rule).await?;
        let rule = rule.ok_or_else(|| gone(&format!("the rule {} is gone", pair.rule)))?;
        let [blue, green] = self.colours(lease, health).await?;
        let weight = |colour: Colour| {
            let group = &pair.of(colour).target_group;
            let found = rule.view.weights.iter().find(|(arn, _)| arn == group);
            found.map(|(_, weight)| *weight).ok_or_else(|| {
                gone(&format!(
                    "the rule {} does not name {group} any more",
                    pair.rule
                ))
            })
        };
        let weights = Weights {
            blue: weight(Colour::Blue)?,
            green: weight(Colour::Green)?,
        };
        let view = PairView {
            observed_at: self.sdk.now(),
            weights,
            blue: blue.view.clone(),
            green: green.view.clone(),
        };
        Ok(ObservedPair {
            view,
            blue,
            green,
            rule,
        })
    }

    /// The services of both colours, blue first, with the targets of those that `health` names.
    ///
    /// # Errors
    /// A failure when one of them is gone.
    pub async fn colours(
        &self,
        lease: &Lease,
        health: &[Colour],
    ) -> Result<[Observed; 2], StepError> {
        let names = COLOURS.map(|colour| colour.service(&lease.service));
        let found = self
            .services
            .describe_each(&lease.cluster, [&names[0], &names[1]])
            .await?;
        let mut colours = Vec::with_capacity(2);
        for ((colour, name), found) in COLOURS.into_iter().zip(&names).zip(found) {
            let mut found = found
                .filter(|found| found.view.status == "ACTIVE")
                .ok_or_else(|| {
                    gone(&format!(
                        "service `{name}` is gone from cluster `{}`",
                        lease.cluster
                    ))
                })?;
            if health.contains(&colour) {
                self.services.look_at_targets(&mut found).await?;
            }
            colours.push(found);
        }
        colours.try_into().map_err(|_| gone("a colour is missing"))
    }

    /// How automatic scaling of blue and of green stands.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn scaling(
        &self,
        cluster: &str,
        service: &str,
    ) -> Result<[Option<ScalingView>; 2], AwsError> {
        let names = COLOURS.map(|colour| colour.service(service));
        self.scaling.observe(cluster, [&names[0], &names[1]]).await
    }

    /// Suspends scale-in on both colours, or gives it back as it was recorded.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn suspend_scale_in(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        suspended: bool,
    ) -> Result<(), AwsError> {
        let names = COLOURS.map(|colour| colour.service(&lease.service));
        let wanted = [&pair.blue, &pair.green]
            .map(|colour| colour.suspended.map(|recorded| suspended || recorded));
        self.scaling
            .suspend_scale_in(&lease.cluster, [&names[0], &names[1]], wanted)
            .await
    }

    /// Sets the weights of both colours.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn route(
        &self,
        seen: &ObservedPair,
        pair: &PriorPair,
        weights: Weights,
    ) -> Result<(), AwsError> {
        let wanted = [
            (pair.blue.target_group.as_str(), weights.blue),
            (pair.green.target_group.as_str(), weights.green),
        ];
        self.rules.apply(&seen.rule, &wanted).await
    }
}

fn gone(what: &str) -> StepError {
    Failure::needing_operator(format!(
        "{what}; a release cannot go on or back without it; manual intervention required"
    ))
    .into()
}
