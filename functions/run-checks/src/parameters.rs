//! The user parameters of the step: its HTTP checks, what its one-off task runs, and how long that
//! may take.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::limits::{
    HTTP_CHECKS, ONE_OFF_TASK_MINUTES, ROLLOUT_DEADLINE_MAX_MINUTES, TASK_NAME_CHARS, TASK_SUBNETS,
};
use slipway::observed::service::check_revision_arn;
use slipway::release::check_role_arn;
use slipway::strategy::http_check::{HttpCheck, is_check_name};
use slipway::strategy::one_off_task::OneOffTask;
use slipway::task_definition::TaskDefinition;
use slipway::timestamp::minutes;

/// User parameters of a run-checks action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Name of the one-off task, such as `migrate`, another one in each action of a release.
    pub task: Option<String>,
    /// ARN of the revision that it runs; the one of this release when not given. Without `task`,
    /// the revision that is checked: nothing is requested if the live colour of a pair already runs
    /// it.
    pub task_definition: Option<String>,
    /// The essential container that gets `command`; the only container when not given.
    pub container: Option<String>,
    /// The words of its command; what the task definition has when not given.
    pub command: Option<Vec<String>>,
    /// How long it may take from the beginning of the action, in minutes; 30 when not given.
    #[schemars(range(min = 1, max = ROLLOUT_DEADLINE_MAX_MINUTES))]
    pub timeout_minutes: Option<u32>,
    /// Where the task runs on Fargate, in a pipeline that delivers no service.
    pub network: Option<Network>,
    /// With `network`: ARN of the IAM role under which the task is run. Its trust policy must
    /// require the pipeline's ARN as the external id. Not given: the function's own credentials.
    pub deploy_role: Option<String>,
    /// What is requested by HTTP, and what is expected: at most 10 checks, which are made at once,
    /// beside the task if there is one.
    #[serde(default)]
    pub http_checks: Vec<HttpCheck>,
}

/// The network of a task without a service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub subnets: Vec<String>,
    /// That of the VPC when not given.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// Whether the task gets a public IP address.
    #[serde(default)]
    pub public_ip: bool,
}

/// A task without a service has no revision of a release.
pub(crate) fn no_revision() -> Failure {
    Failure::configuration(
        "`task_definition` is missing; expected with `network`, because no release has registered \
         one",
    )
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        if self.task.is_none() {
            self.validate_no_task()?;
        }
        self.validate_network()?;
        self.validate_task()?;
        self.validate_http_checks()
    }

    /// Without a task there are HTTP checks, and nothing that is about a task.
    fn validate_no_task(&self) -> Result<(), Failure> {
        if self.http_checks.is_empty() {
            return Err(Failure::configuration(
                "`task` and `http_checks` are missing; expected one of them, or both",
            ));
        }
        let given = [
            ("container", self.container.is_some()),
            ("command", self.command.is_some()),
            ("timeout_minutes", self.timeout_minutes.is_some()),
            ("network", self.network.is_some()),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((name, _)) => Err(Failure::configuration(format!(
                "`{name}` is given; expected with `task` only"
            ))),
            None => Ok(()),
        }
    }

    fn validate_http_checks(&self) -> Result<(), Failure> {
        let checks = &self.http_checks;
        if checks.len() > HTTP_CHECKS {
            return Err(Failure::configuration(format!(
                "`http_checks` has {} items; expected at most {HTTP_CHECKS}",
                checks.len()
            )));
        }

        let mut names: Vec<&str> = self.task.as_deref().into_iter().collect();
        for (at, check) in checks.iter().enumerate() {
            let at = format!("http_checks[{at}]");
            check.validate(&at).map_err(Failure::configuration)?;
            if names.contains(&check.name.as_str()) {
                return Err(Failure::configuration(format!(
                    "`{at}.name` is `{}`; expected another name than those before it and `task`",
                    check.name
                )));
            }
            names.push(&check.name);
        }
        Ok(())
    }

    fn validate_network(&self) -> Result<(), Failure> {
        let Some(Network { subnets, .. }) = &self.network else {
            return match &self.deploy_role {
                Some(_) => Err(Failure::configuration(
                    "`deploy_role` is given; expected with `network` only: a release has its own",
                )),
                None => Ok(()),
            };
        };

        if !(1..=TASK_SUBNETS).contains(&subnets.len()) {
            return Err(Failure::configuration(format!(
                "`network.subnets` has {} items; expected 1 to {TASK_SUBNETS}",
                subnets.len()
            )));
        }
        if self.task_definition.is_none() {
            return Err(no_revision());
        }
        match &self.deploy_role {
            Some(arn) => check_role_arn("deploy_role", arn).map_err(Failure::configuration),
            None => Ok(()),
        }
    }

    fn validate_task(&self) -> Result<(), Failure> {
        let refuse = |why: String| Err(Failure::configuration(why));

        if let Some(task) = &self.task
            && !is_check_name(task)
        {
            return refuse(format!(
                "`task` is `{task}`; expected 1 to {TASK_NAME_CHARS} small letters, digits and \
                 hyphens"
            ));
        }
        if let Some(given) = &self.task_definition {
            check_revision_arn(given).map_err(Failure::configuration)?;
        }
        if self.command.as_ref().is_some_and(Vec::is_empty) {
            return refuse("`command` is empty; expected its words, or no `command`".to_owned());
        }
        if self.container.is_some() && self.command.is_none() {
            return refuse("`container` is given; expected with `command` only".to_owned());
        }

        match self.timeout_minutes {
            Some(minutes) if !(1..=ROLLOUT_DEADLINE_MAX_MINUTES).contains(&minutes) => {
                refuse(format!(
                    "`timeout_minutes` is {minutes}; expected 1 to {ROLLOUT_DEADLINE_MAX_MINUTES}"
                ))
            }
            _ => Ok(()),
        }
    }

    /// The task that an execution runs, of this revision, if there is one.
    pub(crate) fn one_off_task<'a>(
        &'a self,
        execution: &'a str,
        task_definition: &'a str,
        definition: &'a TaskDefinition,
    ) -> Result<Option<OneOffTask<'a>>, Failure> {
        let Some(name) = &self.task else {
            return Ok(None);
        };
        let command = match self.command.as_deref() {
            Some(words) => Some((self.container_of(definition)?, words)),
            None => None,
        };
        Ok(Some(OneOffTask {
            execution,
            name,
            task_definition,
            command,
        }))
    }

    /// The container of the command.
    fn container_of<'a>(&'a self, definition: &'a TaskDefinition) -> Result<&'a str, Failure> {
        let names: Vec<&str> = definition.container_names().collect();
        let expected = || format!("expected one of {}", names.join(", "));
        let mut essential = definition.essential_containers();
        match (self.container.as_deref(), names.as_slice()) {
            (Some(given), _) if essential.any(|name| name == given) => Ok(given),
            (Some(given), _) if names.contains(&given) => Err(Failure::configuration(format!(
                "`container` is `{given}`, which is not essential; expected an essential \
                 container, because the task does not end with another one"
            ))),
            (Some(given), _) => Err(Failure::configuration(format!(
                "`container` is `{given}`; {}",
                expected()
            ))),
            (None, &[only]) => Ok(only),
            (None, _) => Err(Failure::configuration(format!(
                "`container` is missing; {}, for the command",
                expected()
            ))),
        }
    }

    /// The HTTP checks have a number of attempts, and no time.
    pub(crate) fn works(&self) -> Duration {
        match self.task {
            Some(_) => self.limit(),
            None => Duration::ZERO,
        }
    }

    pub(crate) fn limit(&self) -> Duration {
        minutes(self.timeout_minutes.unwrap_or(ONE_OFF_TASK_MINUTES))
    }
}
