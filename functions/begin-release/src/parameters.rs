//! The user parameters of the step: how the release will be deployed, so that what cannot work is
//! refused before anything is changed.

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::arn::resource_of;
use slipway::image::has_region_form;
use slipway::job::Failure;
use slipway::limits::NAME_CHARS;
use slipway::observed::colour::PerColour;
use slipway::release::{check_role, check_role_arn, region_of};
use slipway::strategy::{Percent, Strategy, StrategyName, check_counts};
use slipway::task_definition::{Base, BaseName};

use crate::record::RecordParameters;

/// User parameters of a begin-release action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Containers that the release will give new images: they must be in the base of the new
    /// revision.
    #[serde(default)]
    pub containers: Vec<String>,
    /// The base as a file, as for register-task-definition: `Artifact::taskdef.json`.
    pub taskdef: Option<String>,
    /// The base as a word, as for register-task-definition; `running` when not given.
    pub base: Option<BaseName>,
    /// The family of the base `newest`, as for register-task-definition.
    pub family: Option<String>,
    /// The image's digest, for the record.
    pub digest: Option<String>,
    pub strategy: StrategyName,
    /// Strategy `blue-green`: ARN of the listener rule that names both target groups, or of the
    /// listener whose default action does.
    pub rule: Option<String>,
    /// Strategy `blue-green`: the two weighted records that lead to the load balancers of both
    /// services, in place of `rule`.
    pub record: Option<RecordParameters>,
    /// Strategy `blue-green`: name of the pair's blue service, given with `green_service` or not at
    /// all. Not given: `<service>-blue`.
    pub blue_service: Option<String>,
    /// Strategy `blue-green`: name of the pair's green service. Not given: `<service>-green`.
    pub green_service: Option<String>,
    /// Strategy `blue-green`: whether the services may scale automatically; `true` when not given.
    /// With `false` a release is refused if one of them has a scalable target, because the deploy
    /// role may not suspend its scale-in.
    pub scales: Option<bool>,
    pub minimum_healthy_percent: Option<Percent<0, 100>>,
    pub minimum_healthy_tasks: Option<u32>,
    pub maximum_percent: Option<Percent<100, 200>>,
    pub maximum_tasks: Option<u32>,
    /// The count that update-service will set, if it will.
    #[schemars(range(min = 1))]
    pub desired_count: Option<u32>,
    /// Tasks to start with when the service has none; 1 when not given.
    #[schemars(range(min = 1))]
    pub initial_count: Option<u32>,
    /// The image that will be released, a reference or `Artifact::imageDetail.json`: that it is in
    /// Amazon ECR, can run, and fits the platform of the base.
    pub image: Option<String>,
    /// ARN of the IAM role under which all steps of the release read and change the service. Its
    /// trust policy must require the pipeline's ARN as the external id. Not given: the functions'
    /// own credentials.
    pub deploy_role: Option<String>,
    /// The IAM role under which the pipeline is read, if `deploy_role` is of another account than
    /// the pipeline, or the service in another region: its ARN, or `/path/name` for a role of the
    /// pipeline's account. Its trust policy must require the pipeline's ARN as the external id.
    pub pipeline_role: Option<String>,
    /// The region of a single service, or of a pair with `record`, if it is another one than the
    /// pipeline's. A pair with `rule` is in that of the rule.
    pub region: Option<String>,
    /// Only checks whether a release could begin, reports every check, and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        self.strategy()
            .check_bounds()
            .map_err(Failure::configuration)?;
        self.validate_rule()?;
        self.validate_services()?;
        self.validate_scaling()?;
        self.validate_roles()?;
        self.validate_region()?;
        self.chosen_base()?;
        check_counts(self.desired_count, self.initial_count).map_err(Failure::configuration)
    }

    fn validate_scaling(&self) -> Result<(), Failure> {
        if self.scales.is_some() && self.strategy != StrategyName::BlueGreen {
            return Err(Failure::configuration(
                "`scales` is given; expected with strategy `blue-green` only; remove it, or \
                 change `strategy`",
            ));
        }
        Ok(())
    }

    fn validate_roles(&self) -> Result<(), Failure> {
        if let Some(arn) = &self.deploy_role {
            check_role_arn("deploy_role", arn).map_err(Failure::configuration)?;
        }
        if let Some(role) = &self.pipeline_role {
            check_role("pipeline_role", role).map_err(Failure::configuration)?;
        }
        if self.pipeline_role.is_some() && self.deploy_role.is_none() {
            return Err(Failure::configuration(
                "`pipeline_role` is given; expected with `deploy_role` only; remove it",
            ));
        }
        Ok(())
    }

    fn validate_region(&self) -> Result<(), Failure> {
        let Some(region) = &self.region else {
            return Ok(());
        };
        let refuse = |why: String| Err(Failure::configuration(why));

        if !has_region_form(region) {
            return refuse(format!(
                "`region` is `{region}`; expected a region such as eu-west-1"
            ));
        }
        if self.deploy_role.is_none() {
            return refuse(
                "`region` is given; expected with `deploy_role` only; remove it".to_owned(),
            );
        }
        if self.strategy == StrategyName::BlueGreen && self.record.is_none() {
            return refuse(
                "`region` is given; expected for a single service only: a pair is in the region \
                 of its `rule`; remove it"
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// The region of the service or the pair, if the parameters name it.
    pub(crate) fn region(&self) -> Option<&str> {
        let of_rule = || self.rule.as_deref().and_then(region_of);
        self.region.as_deref().or_else(of_rule)
    }

    fn validate_rule(&self) -> Result<(), Failure> {
        let refuse = |why: String| Err(Failure::configuration(why));
        let is_arn = |rule: &str| {
            let resource = resource_of(rule, "elasticloadbalancing");
            resource.is_some_and(|resource| {
                resource.starts_with("listener-rule/app/") || resource.starts_with("listener/app/")
            })
        };

        match (self.strategy, self.rule.as_deref(), &self.record) {
            (StrategyName::BlueGreen, Some(_), Some(_)) => refuse(
                "`rule` and `record` are given; expected one of them, by which clients reach the \
                 pair; remove the other"
                    .to_owned(),
            ),
            (StrategyName::BlueGreen, None, Some(record)) => {
                record.validate()?;
                self.validate_no_count()
            }
            (StrategyName::BlueGreen, Some(rule), None) if is_arn(rule) => self.validate_no_count(),
            (StrategyName::BlueGreen, found, None) => refuse(format!(
                "`rule` is {}; expected with strategy `blue-green` the ARN of a listener rule or \
                 listener of an Application Load Balancer, \
                 arn:<partition>:elasticloadbalancing:<region>:<account>:listener-rule/app/…, or \
                 `record`",
                found.map_or("missing".to_owned(), |found| format!("`{found}`"))
            )),
            (_, Some(_), _) => refuse(
                "`rule` is given; expected with strategy `blue-green` only; remove it, or change \
                 `strategy`"
                    .to_owned(),
            ),
            (_, None, Some(_)) => refuse(
                "`record` is given; expected with strategy `blue-green` only; remove it, or change \
                 `strategy`"
                    .to_owned(),
            ),
            (_, None, None) => Ok(()),
        }
    }

    fn validate_no_count(&self) -> Result<(), Failure> {
        match self.desired_count {
            None => Ok(()),
            Some(_) => Err(Failure::configuration(
                "`desired_count` is given, but with strategy `blue-green` the idle colour is \
                 filled to the live one's size; remove it, or give `initial_count` for a first \
                 release",
            )),
        }
    }

    fn validate_services(&self) -> Result<(), Failure> {
        let refuse = |why: String| Err(Failure::configuration(why));
        let given = [
            ("blue_service", self.blue_service.as_deref()),
            ("green_service", self.green_service.as_deref()),
        ];
        let [(_, Some(blue)), (_, Some(green))] = given else {
            return match given.into_iter().find(|(_, name)| name.is_some()) {
                None => Ok(()),
                Some((field, _)) => refuse(format!(
                    "`{field}` is given alone; expected `blue_service` and `green_service`, or \
                     neither for `<service>-blue` and `<service>-green`"
                )),
            };
        };

        if self.strategy != StrategyName::BlueGreen {
            return refuse(
                "`blue_service` and `green_service` are given; expected with strategy \
                 `blue-green` only; remove them, or change `strategy`"
                    .to_owned(),
            );
        }
        check_service_name("blue_service", blue).map_err(Failure::configuration)?;
        check_service_name("green_service", green).map_err(Failure::configuration)?;
        if blue == green {
            return refuse(format!(
                "`blue_service` and `green_service` are both `{blue}`; expected two services"
            ));
        }
        Ok(())
    }

    /// The names of the services of the pair `pair`, for a release of one.
    pub(crate) fn services(&self, pair: &str) -> PerColour<String> {
        PerColour::services(self.given_services().as_ref(), pair)
    }

    pub(crate) fn given_services(&self) -> Option<PerColour<String>> {
        Some(PerColour {
            blue: self.blue_service.clone()?,
            green: self.green_service.clone()?,
        })
    }

    pub(crate) fn chosen_base(&self) -> Result<Base<'_>, Failure> {
        Base::chosen(self.taskdef.as_deref(), self.base, self.family.as_deref())
            .map_err(Failure::configuration)
    }

    pub(crate) fn strategy(&self) -> Strategy {
        Strategy {
            rules: self.strategy.rules(),
            minimum_healthy_percent: self.minimum_healthy_percent,
            minimum_healthy_tasks: self.minimum_healthy_tasks,
            maximum_percent: self.maximum_percent,
            maximum_tasks: self.maximum_tasks,
        }
    }

    /// The count that the service will have.
    pub(crate) fn planned_count(&self, live: u32) -> u32 {
        match (self.desired_count, live) {
            (Some(desired), _) => desired,
            (None, 0) => self.initial_count.unwrap_or(1),
            (None, live) => live,
        }
    }
}

/// Checks the name of a service (Amazon ECS API: CreateService). An ARN is not accepted: both
/// services are in the pair's cluster.
fn check_service_name(field: &str, name: &str) -> Result<(), String> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    if (1..=NAME_CHARS).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "`{field}` is `{name}`; expected the name of a service, 1 to {NAME_CHARS} letters, \
         digits, hyphens and underscores"
    ))
}
