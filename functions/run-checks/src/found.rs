//! What the step finds before it acts: its release, or that it runs a task without any service.
//!
//! A task without a service has no lease, so that it acts under a role of its own pipeline only.

use slipway::job::{Failure, Job, StepError};
use slipway::observed::route::Route;
use slipway::release::{ActiveRelease, DeployRole, PairTarget, Release, Target};
use slipway::step::{FoundRelease, RequestedRole};
use slipway::strategy::http_check::{CheckUrl, HttpCheck};

use crate::{Parameters, RunChecks};

/// What the step finds before it acts.
#[derive(Debug)]
pub enum FoundTask {
    /// A task of an open release.
    OfRelease(Box<ActiveRelease>),
    /// A task without any service, with the role that its parameters request.
    Alone(Option<RequestedRole>),
}

impl FoundRelease for FoundTask {
    fn deploy_role(&self) -> Option<&DeployRole> {
        match self {
            Self::OfRelease(active) => active.deploy_role(),
            Self::Alone(_) => None,
        }
    }

    fn requested_role(&self) -> Option<&RequestedRole> {
        match self {
            Self::OfRelease(_) => None,
            Self::Alone(requested) => requested.as_ref(),
        }
    }
}

impl FoundTask {
    /// The revision that a release would have its task run: the new one, or what the service runs
    /// already if nothing is new.
    pub(crate) fn task_definition(&self) -> Option<&str> {
        let Self::OfRelease(active) = self else {
            return None;
        };
        let registered = active.release.registered.as_deref();
        Some(registered.unwrap_or_else(|| active.target.prior_task_definition()))
    }

    /// Why nothing is checked: the live colour of a pair already runs the revision that the action
    /// is given, so that the idle one was not filled with it.
    pub(crate) fn already_live(&self, task_definition: Option<&str>) -> Option<String> {
        let pair = self.pair()?;
        pair.prior.already_live(task_definition?)
    }

    /// The pair of its release, if it is of one.
    fn pair(&self) -> Option<&PairTarget> {
        match self {
            Self::OfRelease(active) => match &active.target {
                Target::Service(_) => None,
                Target::Pair(pair) => Some(pair),
            },
            Self::Alone(_) => None,
        }
    }

    /// The checks, of the idle colour where each colour has a URL.
    ///
    /// # Errors
    /// A check whose URL does not lead to one colour alone.
    pub(crate) fn of_idle(&self, checks: &[HttpCheck]) -> Result<Vec<HttpCheck>, Failure> {
        let each = checks.iter().enumerate();
        each.map(|(at, check)| {
            if check.green_url.is_none() {
                return Ok(check.clone());
            }
            self.at_own_url(check).map_err(|why| {
                Failure::configuration(format!("`http_checks[{at}].green_url` is given; {why}"))
            })
        })
        .collect()
    }

    /// The name of the records, and that of the other load balancer, lead to the colour that runs.
    fn at_own_url(&self, check: &HttpCheck) -> Result<HttpCheck, String> {
        let pair = self.pair().ok_or("expected in a release of a pair only")?;
        let idle = pair.prior.idle();
        let of_idle = check.of_colour(idle);
        let host = CheckUrl::parse(&of_idle.url)?.host();

        let other = match &pair.prior.route {
            Route::Record(records) => records.other_than(idle, host),
            Route::Rule(_) => None,
        };
        match other {
            Some(other) => Err(format!(
                "expected URLs of load balancers, and found for {idle} `{host}`, {other}"
            )),
            None => Ok(of_idle),
        }
    }

    /// The release that the task belongs to.
    pub(crate) fn release(&self) -> Option<&Release> {
        match self {
            Self::OfRelease(active) => Some(&active.release),
            Self::Alone(_) => None,
        }
    }

    /// The service in whose network the task of a release runs: the one that gets the new revision.
    pub(crate) fn service(&self) -> Option<String> {
        let Self::OfRelease(active) = self else {
            return None;
        };
        let name = &active.lease.service;
        Some(match &active.target {
            Target::Service(_) => name.clone(),
            Target::Pair(pair) => {
                let services = pair.prior.services(name);
                services.of(pair.prior.idle()).clone()
            }
        })
    }
}

impl RunChecks {
    pub(crate) async fn find(&self, job: &Job<Parameters>) -> Result<FoundTask, StepError> {
        let parameters = &job.parameters;
        parameters.validate()?;
        if parameters.network.is_none() {
            let active = self.ledger.prove_lease(&job.release).await?.active()?;
            return Ok(FoundTask::OfRelease(Box::new(active)));
        }

        let requested = parameters.deploy_role.as_ref();
        Ok(FoundTask::Alone(requested.map(|arn| RequestedRole {
            arn: arn.clone(),
            region: None,
            by_hand: None,
        })))
    }
}
