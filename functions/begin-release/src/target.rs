//! The target of a release: one service or a blue/green pair, and the services that are refused
//! before anything is changed.

use slipway::aws::{ObservedService, SERVICE_TAG};
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

    pub(crate) fn services(&self) -> Vec<&ObservedService> {
        match self {
            Self::Service(seen) => vec![seen.as_ref()],
            Self::Pair { live, idle, .. } => vec![live.as_ref(), idle.as_ref()],
        }
    }

    pub(crate) fn prior(self) -> Option<Prior> {
        match self {
            Self::Service(seen) => PriorService::from_view(&seen.view).map(Prior::Service),
            Self::Pair { live, prior, .. } => Some(Prior::Pair {
                pair: prior,
                recorded_at: live.view.observed_at,
            }),
        }
    }
}

impl BeginRelease {
    /// The target, with the checks of its services and its rule; `None` if one of them without
    /// which nothing else can be checked refuses a release.
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
        let seen = self.services.describe(cluster, service).await?;
        let seen = self.check_service(checks, (cluster, service), seen)?;
        Ok(seen.map(|seen| FoundTarget::Service(Box::new(seen))))
    }

    /// Checks that a service exists and that a release may change it.
    pub(crate) fn check_service(
        &self,
        checks: &mut Checks,
        (cluster, service): (&str, &str),
        seen: Option<ObservedService>,
    ) -> Result<Option<ObservedService>, StepError> {
        let group = group_of(service);
        let seen = seen.ok_or_else(|| missing_service(cluster, service));
        let shown = |seen: &ObservedService| seen.arn().to_owned();
        let Some(seen) = checks.take((group.as_str(), "exists"), seen, shown)? else {
            return Ok(None);
        };

        for (name, found) in requirements(service, seen.arn(), &seen.view, self.needs_tag()) {
            checks.take((group.as_str(), name), found, |found| (*found).to_owned())?;
        }
        Ok(Some(seen))
    }

    /// Whether the policies of the credentials in use allow changes to tagged services only. A
    /// deploy role names its services.
    fn needs_tag(&self) -> bool {
        self.sdk.deploy_role().is_none()
    }
}

/// The group of the checks of a service.
pub(crate) fn group_of(service: &str) -> String {
    format!("service {}", short_name(service))
}

fn missing_service(cluster: &str, service: &str) -> Failure {
    Failure::configuration(format!(
        "service `{service}` is not in cluster `{cluster}`; expected an existing service and its \
         cluster, by name or ARN; change `service` or `cluster`, or create the service"
    ))
}

/// Releases work on active replica services that Amazon ECS rolls itself, and that have the tag, if
/// IAM policies require it: each requirement with its name, and what was found.
fn requirements<'view>(
    service: &str,
    arn: &str,
    view: &'view ServiceView,
    needs_tag: bool,
) -> [(&'static str, Result<&'view str, Failure>); 5] {
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
    let tag = if view.tagged {
        Ok(SERVICE_TAG)
    } else if !needs_tag {
        Ok("not needed under a deploy role")
    } else {
        Err(Failure::configuration(format!(
            "service `{service}` is missing the tag `{SERVICE_TAG}` (IAM allows changes only to \
             tagged services); {}",
            tag_command(service, arn)
        )))
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
        ("tag", tag),
    ]
}

/// How a service gets its tag. ECS tags no service whose ARN is of the short form, without the
/// cluster (docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html).
fn tag_command(service: &str, arn: &str) -> String {
    let is_short = arn
        .split_once(":service/")
        .is_some_and(|(_, name)| !name.contains('/'));
    if is_short {
        return format!(
            "its ARN {arn} is of the short form, which cannot be tagged; expected \
             arn:…:service/<cluster>/{service}; create the service again, after aws ecs \
             put-account-setting-default --name serviceLongArnFormat --value enabled"
        );
    }
    format!(
        "add it: aws ecs tag-resource --resource-arn {arn} --tags key=slipway:service,value={}",
        short_name(service)
    )
}

#[cfg(test)]
pub(crate) mod tests {
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
            tagged: true,
            deployments: Vec::new(),
            target_groups: Vec::new(),
            messages: Vec::new(),
        }
    }

    type Spoil = fn(&mut ServiceView);

    /// What makes a service unfit for releases, and the message that refuses it.
    const UNFIT: [(Spoil, &str); 6] = [
        (
            |view| view.tagged = false,
            "service `web` is missing the tag `slipway:service`",
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
            |view| {
                view.scheduling = Scheduling::Daemon;
                view.tagged = false;
            },
            "the scheduling strategy of service `web` is DAEMON",
        ),
    ];

    const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:service/apps/web";

    /// The first refusal, as a pre-flight finds it.
    fn validate(
        service: &str,
        arn: &str,
        view: &ServiceView,
        needs_tag: bool,
    ) -> Result<(), Failure> {
        let mut all = requirements(service, arn, view, needs_tag).into_iter();
        all.try_for_each(|(_, found)| {
            found?;
            Ok(())
        })
    }

    #[test]
    fn a_missing_tag_is_refused_with_what_adds_it() {
        let view = ServiceView {
            tagged: false,
            ..service()
        };
        let refusal = |service: &str, arn: &str| {
            let failure = validate(service, arn, &view, true).expect_err("not tagged");
            let (_, remedy) = failure.message.split_once("; ").expect("a remedy");
            remedy.to_owned()
        };

        let add = format!(
            "add it: aws ecs tag-resource --resource-arn {ARN} --tags \
             key=slipway:service,value=web"
        );
        assert_eq!(refusal("web", ARN), add);
        assert_eq!(refusal(ARN, ARN), add);
        assert_eq!(
            refusal("web", &ARN.replace("apps/", "")),
            "its ARN arn:aws:ecs:eu-west-1:111122223333:service/web is of the short form, which \
             cannot be tagged; expected arn:…:service/<cluster>/web; create the service again, \
             after aws ecs put-account-setting-default --name serviceLongArnFormat --value enabled"
        );
    }

    #[test]
    fn a_service_under_a_deploy_role_needs_no_tag() {
        let view = ServiceView {
            tagged: false,
            ..service()
        };
        assert_eq!(validate("web", ARN, &view, false), Ok(()));

        let draining = ServiceView {
            status: "DRAINING".to_owned(),
            ..view
        };
        validate("web", ARN, &draining, false).expect_err("not active");
    }

    #[test]
    fn only_tagged_replica_services_that_ecs_rolls_are_released() {
        assert_eq!(validate("web", ARN, &service(), true), Ok(()));

        for (spoil, start) in UNFIT {
            let mut view = service();
            spoil(&mut view);

            let failure = validate("web", ARN, &view, true).expect_err(start);
            assert_eq!(failure.kind, FailureType::ConfigurationError);
            assert!(failure.message.starts_with(start), "{}", failure.message);
        }
    }
}
