//! The target of a release: one service or a blue/green pair, and the services that are refused
//! before anything is changed.

use slipway::aws::{AwsError, ObservedService};
use slipway::job::{Checks, Failure, Job, StepError};
use slipway::observed::colour::{Colour, PerColour};
use slipway::observed::service::{Scheduling, ServiceView, short_name};
use slipway::release::{LastKnownRouting, Prior, PriorPair, PriorService};
use slipway::strategy::StrategyName;

use crate::{BeginRelease, Parameters};

/// The observed target.
pub(crate) enum FoundTarget {
    Service(Box<ObservedService>),
    Pair {
        live: Box<ObservedService>,
        idle: Box<ObservedService>,
        prior: Box<PriorPair>,
    },
}

impl FoundTarget {
    pub(crate) fn of_pair(found: PerColour<ObservedService>, prior: PriorPair) -> Self {
        let PerColour { blue, green } = found;
        let (live, idle) = match prior.live {
            Colour::Blue => (blue, green),
            Colour::Green => (green, blue),
        };

        Self::Pair {
            live: Box::new(live),
            idle: Box::new(idle),
            prior: Box::new(prior),
        }
    }

    /// The service that serves now.
    pub(crate) fn live(&self) -> &ObservedService {
        match self {
            Self::Service(seen) => seen,
            Self::Pair { live, .. } => live,
        }
    }

    /// The service to which the new revision will be deployed.
    pub(crate) fn deployed_to(&self) -> &ObservedService {
        match self {
            Self::Service(seen) => seen,
            Self::Pair { idle, .. } => idle,
        }
    }

    pub(crate) fn services(&self) -> Vec<&ObservedService> {
        match self {
            Self::Service(seen) => vec![seen.as_ref()],
            Self::Pair { live, idle, .. } => vec![live.as_ref(), idle.as_ref()],
        }
    }

    /// The family in which a revision for a pair is registered. That of a single service is the
    /// base's own.
    pub(crate) fn idle_family(&self) -> Option<&str> {
        match self {
            Self::Service(_) => None,
            Self::Pair { prior, .. } => Some(prior.idle_family()),
        }
    }

    /// What a release records before its first change.
    pub(crate) fn prior(&self) -> Option<Prior> {
        match self {
            Self::Service(seen) => PriorService::from_view(&seen.view).map(Prior::Service),
            Self::Pair { live, prior, .. } => Some(Prior::Pair {
                pair: prior.clone(),
                recorded_at: live.view.observed_at,
            }),
        }
    }
}

impl BeginRelease {
    /// The target, with the checks of its services and its rule; `None` if a check fails without
    /// which nothing else can be checked.
    pub(crate) async fn observe(
        &self,
        checks: &mut Checks,
        job: &Job<Parameters>,
        last_known: Option<&LastKnownRouting>,
    ) -> Result<Option<FoundTarget>, StepError> {
        if job.parameters.strategy == StrategyName::BlueGreen {
            return self.observe_pair(checks, job, last_known).await;
        }

        let (cluster, service) = (&job.release.cluster, &job.release.service);
        let seen = self.services.describe(cluster, service).await;
        let seen = self.check_service(checks, (cluster, service), seen)?;
        Ok(seen.map(|seen| FoundTarget::Service(Box::new(seen))))
    }

    /// Checks that a service exists and that a release may change it.
    pub(crate) fn check_service(
        &self,
        checks: &mut Checks,
        (cluster, service): (&str, &str),
        seen: Result<Option<ObservedService>, AwsError>,
    ) -> Result<Option<ObservedService>, StepError> {
        let group = group_of(service);
        let has_role = self.sdk.deploy_role().is_some();
        let seen = seen
            .map_err(|error| unread(error, has_role))
            .and_then(|seen| seen.ok_or_else(|| missing_service(cluster, service).into()));
        let shown = |seen: &ObservedService| seen.arn().to_owned();
        let Some(seen) = checks.take((group.as_str(), "exists"), seen, shown)? else {
            return Ok(None);
        };

        for (name, found) in requirements(service, &seen.view) {
            checks.take((group.as_str(), name), found, |found| (*found).to_owned())?;
        }
        Ok(Some(seen))
    }
}

/// The group of the checks of a service.
pub(crate) fn group_of(service: &str) -> String {
    format!("service {}", short_name(service))
}

pub(crate) fn missing_service(cluster: &str, service: &str) -> Failure {
    Failure::configuration(format!(
        "service `{service}` is not in cluster `{cluster}`; expected an existing service and its \
         cluster, by name or ARN; change `service` or `cluster`, or create the service"
    ))
}

/// Why a service could not be read. A deploy role reads its own services only, so that a wrong name
/// is denied, too, and a function reads none under its own role: neither role is what has to be
/// changed.
fn unread(error: AwsError, has_role: bool) -> StepError {
    let is_denied = error.is_denied();
    match StepError::from(error) {
        StepError::Refused(Failure { kind, message, .. }) if is_denied => {
            let remedy = if has_role {
                "the deploy role reads the services of its own stack only: if another one is \
                 meant, correct the name of the cluster or of the service"
            } else {
                "without `deploy_role` a service is read with the function's own credentials: give \
                 it, the output DeployRoleArn of the pipeline's stack"
            };
            StepError::Refused(Failure::new(kind, format!("{message}; {remedy}")))
        }
        other => other,
    }
}

/// Releases work on active replica services that Amazon ECS rolls itself: each requirement with its
/// name, and what was found.
fn requirements<'view>(
    service: &str,
    view: &'view ServiceView,
) -> [(&'static str, Result<&'view str, Failure>); 4] {
    let equal = |what: &str, found: &'view str, expected: &str| {
        if found == expected {
            return Ok(found);
        }
        Err(Failure::configuration(format!(
            "{what} of service `{service}` is {found}; expected {expected} for a release; change \
             the service or choose another one"
        )))
    };
    let scheduling = match view.scheduling {
        Scheduling::Replica => "REPLICA",
        Scheduling::Daemon => "DAEMON",
    };

    [
        ("status", equal("the status", &view.status, "ACTIVE")),
        (
            "controller",
            equal("the deployment controller", &view.controller, "ECS"),
        ),
        (
            "strategy",
            equal("the deployment strategy", &view.strategy, "ROLLING"),
        ),
        (
            "scheduling",
            equal("the scheduling strategy", scheduling, "REPLICA"),
        ),
    ]
}

#[cfg(test)]
pub(crate) mod tests {
    use slipway::aws::ErrorKind;
    use slipway::job::FailureType;
    use slipway::observed::percentages::Percentages;
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
            proven: 0,
            newcomers: 0,
            percentages: Percentages {
                minimum_healthy: 100,
                maximum: 200,
            },
            early_success: None,
            deployment_alarms: false,
            rebalancing: false,
            capacity_providers: Vec::new(),
            scheduling: Scheduling::Replica,
            controller: "ECS".to_owned(),
            strategy: "ROLLING".to_owned(),
            deployments: Vec::new(),
            target_groups: Vec::new(),
            messages: Vec::new(),
        }
    }

    type Spoil = fn(&mut ServiceView);

    /// What makes a service unfit for releases, and the message that refuses it.
    const UNFIT: [(Spoil, &str); 4] = [
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
    ];

    /// The first refusal, as a pre-flight finds it.
    fn validate(view: &ServiceView) -> Result<(), Failure> {
        let mut all = requirements("web", view).into_iter();
        all.try_for_each(|(_, found)| {
            found?;
            Ok(())
        })
    }

    #[test]
    fn only_replica_services_that_ecs_rolls_are_released() {
        assert_eq!(validate(&service()), Ok(()));

        for (spoil, start) in UNFIT {
            let mut view = service();
            spoil(&mut view);

            let failure = validate(&view).expect_err(start);
            assert_eq!(failure.kind, FailureType::ConfigurationError);
            assert!(failure.message.starts_with(start), "{}", failure.message);
        }
    }

    #[test]
    fn a_denied_read_may_be_of_a_wrong_name_or_lack_the_deploy_role() {
        let denied = |operation: &'static str, kind: ErrorKind| AwsError {
            operation,
            kind,
            code: "AccessDeniedException".to_owned(),
            message: "denied".to_owned(),
        };
        let has_remedy = |operation: &'static str, kind: ErrorKind, has_role: bool| {
            let found = unread(denied(operation, kind), has_role);
            let plain = StepError::from(denied(operation, kind));
            let start = if has_role {
                "the deploy role reads "
            } else {
                "without `deploy_role` "
            };
            let start = format!("{}; {start}", plain.cause());
            found.cause().starts_with(&start)
        };

        let read = "ecs:DescribeServices";
        assert!(has_remedy(read, ErrorKind::Permission, true));
        assert!(has_remedy(read, ErrorKind::Permission, false));
        assert!(!has_remedy(read, ErrorKind::Rejected, true));
        assert!(!has_remedy("sts:AssumeRole", ErrorKind::Permission, true));
    }
}
