//! What a release is of: one service, or a blue/green pair; and what of it is refused before anything is changed.

use slipway::aws::Observed;
use slipway::blue_green::{PriorPair, Settled};
use slipway::job::{Failure, StepError};
use slipway::ledger::Prior;
use slipway::service::{Scheduling, ServiceView};
use slipway::strategy::StrategyName;

use crate::{BeginRelease, Spec, refused};

/// What was looked at.
pub(crate) enum Subject {
    Service(Box<Observed>),
    Pair { live: Box<Observed>, idle: Box<Observed>, prior: Box<PriorPair> },
}

impl Subject {
    /// The service that serves now.
    pub(crate) fn live(&self) -> &ServiceView {
        match self {
            Self::Service(seen) => &seen.view,
            Self::Pair { live, .. } => &live.view,
        }
    }

    pub(crate) fn views(&self) -> Vec<&ServiceView> {
        match self {
            Self::Service(seen) => vec![&seen.view],
            Self::Pair { live, idle, .. } => vec![&live.view, &idle.view],
        }
    }

    pub(crate) fn prior(self) -> Option<Prior> {
        match self {
            Self::Service(seen) => Prior::of(&seen.view),
            Self::Pair { live, prior, .. } => Some(prior.as_prior(live.view.observed_at)),
        }
    }
}

impl BeginRelease {
    pub(crate) async fn look(&self, spec: &Spec, settled: Option<Settled>) -> Result<Subject, StepError> {
        if spec.strategy == StrategyName::BlueGreen {
            return self.look_at_pair(spec, settled).await;
        }
        let seen = self.services.describe(&spec.cluster, &spec.service).await?;
        let seen = seen.ok_or_else(|| not_there(spec, &spec.service))?;
        legal_service(&spec.service, &seen.view)?;
        Ok(Subject::Service(Box::new(seen)))
    }
}

pub(crate) fn not_there(spec: &Spec, service: &str) -> Failure {
    Failure::configuration(format!(
        "service `{service}` is not in cluster `{}`; legal: an existing service and its cluster, by name or ARN; correct `service` or `cluster`, or create the service",
        spec.cluster
    ))
}

/// Releases work on active replica services that Amazon ECS rolls itself, and that bear the tag the functions' roles ask for.
pub(crate) fn legal_service(service: &str, view: &ServiceView) -> Result<(), Failure> {
    let refuse = |what: &str, found: &str, legal: &str| {
        Err(refused(format!(
            "{what} of service `{service}` is {found}; legal for a release: {legal}; change the service or choose another one"
        )))
    };
    match (view.status.as_str(), view.controller.as_str(), view.strategy.as_str(), view.scheduling) {
        ("ACTIVE", "ECS", "ROLLING", Scheduling::Replica) if view.tagged => Ok(()),
        ("ACTIVE", "ECS", "ROLLING", Scheduling::Replica) => Err(refused(format!(
            "service `{service}` does not bear the tag `slipway:service`, and only services that do may be changed; add it: aws ecs tag-resource --resource-arn <ARN of the service> --tags key=slipway:service,value={service}"
        ))),
        ("ACTIVE", "ECS", "ROLLING", Scheduling::Daemon) => refuse("the scheduling strategy", "DAEMON", "REPLICA"),
        ("ACTIVE", "ECS", strategy, _) => refuse("the deployment strategy", strategy, "ROLLING"),
        ("ACTIVE", controller, _, _) => refuse("the deployment controller", controller, "ECS"),
        (status, ..) => refuse("the status", status, "ACTIVE"),
    }
}
