//! A blue/green pair, observed whole: both services with their targets, and its route.
//!
//! An incomplete pair is reported as one ([`IncompletePair`]); what follows from it is decided by
//! the caller.

use thiserror::Error;

use super::{AwsError, ObservedRoute, ObservedService, Routes, Scaling, Sdk, Services};
use crate::job::StepError;
use crate::observed::colour::{Colour, PerColour};
use crate::observed::pair::{IncompletePair, PairView};
use crate::observed::scaling::ScalingView;
use crate::observed::weights::Weights;
use crate::release::{Lease, PriorPair};

#[derive(Clone, Debug)]
pub struct Pairs {
    sdk: Sdk,
    services: Services,
    routes: Routes,
    scaling: Scaling,
}

/// A pair as observed, with what must be sent back when it is changed.
#[derive(Clone, Debug)]
pub struct ObservedPair {
    pub view: PairView,
    services: PerColour<ObservedService>,
    pub route: ObservedRoute,
}

/// Why a pair could not be observed.
#[derive(Clone, Debug, Error)]
pub enum ObservePairError {
    #[error(transparent)]
    Incomplete(#[from] IncompletePair),
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl From<ObservePairError> for StepError {
    fn from(error: ObservePairError) -> Self {
        match error {
            ObservePairError::Incomplete(incomplete) => incomplete.failure().into(),
            ObservePairError::Aws(error) => error.into(),
        }
    }
}

impl ObservedPair {
    #[must_use]
    pub fn of(&self, colour: Colour) -> &ObservedService {
        self.services.of(colour)
    }

    /// The same pair, so that a change of the weights also lets its rule bind no client any more.
    #[must_use]
    pub fn without_stickiness(&self) -> Self {
        Self {
            route: self.route.with_stickiness(None),
            ..self.clone()
        }
    }
}

impl Pairs {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            services: Services::new(sdk),
            routes: Routes::new(sdk),
            scaling: Scaling::new(sdk),
        }
    }

    /// The pair of `lease`, as it is now. Target health is read for the colours in `health`; the
    /// targets of another colour do not count as healthy.
    ///
    /// # Errors
    /// When a service or the route is gone, when the route no longer leads to both colours as
    /// recorded, or when a call fails.
    pub async fn observe(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        health: &[Colour],
    ) -> Result<ObservedPair, ObservePairError> {
        let route = self.routes.observe(&pair.route).await?;
        let route = route.ok_or_else(|| pair.route.gone())?;
        let names = pair.services(&lease.service);
        let services = self
            .observe_services(&lease.cluster, &names, health)
            .await?;

        let view = PairView {
            observed_at: self.sdk.now(),
            weights: pair.weights_in(route.view())?,
            services: PerColour::from_fn(|colour| services.of(colour).view.clone()),
        };
        Ok(ObservedPair {
            view,
            services,
            route,
        })
    }

    /// The services of both colours by their names, with the target health of those in `health`.
    ///
    /// # Errors
    /// When one of them is gone, or when a call fails.
    pub async fn observe_services(
        &self,
        cluster: &str,
        names: &PerColour<String>,
        health: &[Colour],
    ) -> Result<PerColour<ObservedService>, ObservePairError> {
        let [blue, green] = self
            .services
            .describe_each(cluster, [&names.blue, &names.green])
            .await?;
        let mut services = PerColour {
            blue: active(cluster, &names.blue, blue)?,
            green: active(cluster, &names.green, green)?,
        };

        let PerColour { blue, green } = &mut services;
        for (colour, found) in [(Colour::Blue, blue), (Colour::Green, green)] {
            if health.contains(&colour) {
                self.services.observe_targets(found).await?;
            }
        }
        Ok(services)
    }

    /// Automatic scaling of both colours, by the names of their services.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn scaling(
        &self,
        cluster: &str,
        names: &PerColour<String>,
    ) -> Result<PerColour<Option<ScalingView>>, AwsError> {
        let [blue, green] = self
            .scaling
            .observe(cluster, [&names.blue, &names.green])
            .await?;
        Ok(PerColour { blue, green })
    }

    /// Suspends scale-in and scheduled scaling on both colours, or restores them as they were
    /// recorded.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn suspend_scale_in(
        &self,
        lease: &Lease,
        pair: &PriorPair,
        suspended: bool,
    ) -> Result<(), AwsError> {
        let names = pair.services(&lease.service);
        let wanted = pair.wanted_scale_in(suspended);
        self.scaling
            .suspend_scale_in(
                &lease.cluster,
                [&names.blue, &names.green],
                [wanted.blue, wanted.green],
            )
            .await
    }

    /// Sets the weights of both colours. Returns the id of the change that has to reach all servers
    /// of Route 53, if records route the traffic.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_weights(
        &self,
        seen: &ObservedPair,
        pair: &PriorPair,
        weights: Weights,
    ) -> Result<Option<String>, AwsError> {
        self.routes.apply(&seen.route, pair.groups(), weights).await
    }

    /// Whether all servers of Route 53 have a change; `None` when Route 53 does not know it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_in_sync(&self, change: &str) -> Result<Option<bool>, AwsError> {
        self.routes.is_in_sync(change).await
    }
}

fn active(
    cluster: &str,
    name: &str,
    found: Option<ObservedService>,
) -> Result<ObservedService, IncompletePair> {
    found
        .filter(|found| found.view.is_active())
        .ok_or_else(|| IncompletePair::Service {
            service: name.to_owned(),
            cluster: cluster.to_owned(),
        })
}
