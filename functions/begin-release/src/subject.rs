//! What a release is of: one service, or a blue/green pair; and what of it is refused before anything is changed.

use slipway::aws::Observed;
use slipway::job::{Failure, StepError};
use slipway::observed::service::{Scheduling, ServiceView};
use slipway::release::Prior;
use slipway::strategy::StrategyName;
use slipway::strategy::blue_green::{PriorPair, Settled};

use crate::{BeginRelease, Spec, refused};

/// What was looked at.
pub(crate) enum Subject {
    Service(Box<Observed>),
    Pair {
        live: Box<Observed>,
        idle: Box<Observed>,
        prior: Box<PriorPair>,
    },
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
    pub(crate) async fn look(
        &self,
        spec: &Spec,
        settled: Option<Settled>,
    ) -> Result<Subject, StepError> {
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
    match (
        view.status.as_str(),
        view.controller.as_str(),
        view.strategy.as_str(),
        view.scheduling,
    ) {
        ("ACTIVE", "ECS", "ROLLING", Scheduling::Replica) if view.tagged => Ok(()),
        ("ACTIVE", "ECS", "ROLLING", Scheduling::Replica) => Err(refused(format!(
            "service `{service}` does not bear the tag `slipway:service`, and only services that do may be changed; add it: aws ecs tag-resource --resource-arn <ARN of the service> --tags key=slipway:service,value={service}"
        ))),
        ("ACTIVE", "ECS", "ROLLING", Scheduling::Daemon) => {
            refuse("the scheduling strategy", "DAEMON", "REPLICA")
        }
        ("ACTIVE", "ECS", strategy, _) => refuse("the deployment strategy", strategy, "ROLLING"),
        ("ACTIVE", controller, _, _) => refuse("the deployment controller", controller, "ECS"),
        (status, ..) => refuse("the status", status, "ACTIVE"),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use slipway::job::FailureType;
    use slipway::strategy::Percentages;
    use slipway::timestamp::Timestamp;

    use super::*;

    /// A service that a release may change.
    pub(crate) fn service() -> ServiceView {
        ServiceView {
            observed_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
            status: "ACTIVE".to_owned(),
            desired: 2,
            running: 2,
            pending: 0,
            percentages: Percentages {
                minimum_healthy: 100,
                maximum: 200,
            },
            scheduling: Scheduling::Replica,
            controller: "ECS".to_owned(),
            strategy: "ROLLING".to_owned(),
            tagged: true,
            deployments: Vec::new(),
            target_groups: Vec::new(),
            messages: Vec::new(),
        }
    }

    #[test]
    fn only_tagged_replica_services_that_ecs_rolls_are_released() {
        assert_eq!(legal_service("web", &service()), Ok(()));
        type Spoil = fn(&mut ServiceView);
        let cases: [(Spoil, &str); 6] = [
            (
                |view| view.tagged = false,
                "service `web` does not bear the tag `slipway:service`",
            ),
            (
                |view| view.scheduling = Scheduling::Daemon,
                "the scheduling strategy of service `web` is DAEMON",
            ),
            (
                |view| view.strategy = "BLUE_GREEN".to_owned(),
                "the deployment strategy of service `web` is BLUE_GREEN",
            ),
            (
                |view| view.controller = "CODE_DEPLOY".to_owned(),
                "the deployment controller of service `web` is CODE_DEPLOY",
            ),
            (
                |view| view.status = "DRAINING".to_owned(),
                "the status of service `web` is DRAINING",
            ),
            (
                |view| (view.scheduling, view.tagged) = (Scheduling::Daemon, false),
                "the scheduling strategy of service `web` is DAEMON",
            ),
        ];
        for (spoil, start) in cases {
            let mut view = service();
            spoil(&mut view);
            let failure = legal_service("web", &view).expect_err(start);
            assert_eq!(failure.kind, FailureType::ConfigurationError);
            assert!(failure.message.starts_with(start), "{}", failure.message);
        }
    }
}
