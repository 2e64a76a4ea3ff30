//! The account of a shape: its stacks deployed from the project's own templates, and steady.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::canary::{ALARM, Canary};
use emulator::codepipeline::Execution;
use emulator::ecs::RolloutState;
use emulator::{Aws, cloudformation, cloudwatch, ecs, traffic};
use harness::demo::{CLUSTER, WEB, root};
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;
use invariants::routes;

use super::{DrawnRecords, Shape, records};

/// The stack of the service.
pub(super) const SERVICE_STACK: &str = "web";
/// The stack of the pipeline.
const PIPELINE_STACK: &str = "web-pipeline";
/// Longest that an account may take to become steady, in virtual time.
const STEADY_LIMIT: Duration = Duration::from_secs(3600);
/// How long requests have come to a pair that is judged.
const HISTORY: Duration = Duration::from_secs(20 * 60);
/// The load on a service behind a load balancer …
const REQUESTS_PER_SECOND: f64 = 20.0;
/// … and how many times as much makes a task fully busy.
const ROOM: f64 = 5.0;

impl Shape {
    /// An account with the service, its pipeline and the functions, steady. The same every time.
    ///
    /// # Errors
    /// What a template or a service refused.
    pub fn account(&self) -> Result<Aws, String> {
        static ACCOUNTS: Mutex<BTreeMap<u32, Aws>> = Mutex::new(BTreeMap::new());

        if let Some(known) = ACCOUNTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&self.number)
        {
            return Ok(known.clone());
        }

        let made = self.made()?;
        ACCOUNTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self.number, made.clone());
        Ok(made)
    }

    fn made(&self) -> Result<Aws, String> {
        let mut aws = Aws::new(u64::from(self.number));
        ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": CLUSTER}))
            .map_err(|e| e.to_string())?;
        ecs::add_container_instances(&mut aws, CLUSTER, self.instances);
        if self.records().is_some() {
            DrawnRecords::prepare(&mut aws)?;
        }
        self.update_service_stack(&mut aws)?;
        stack(&mut aws, FUNCTIONS_STACK, "template.yaml", &[])?;

        self.deploy_pipeline(&mut aws, &[])?;
        self.set_counts(&mut aws)?;
        self.set_early_success(&mut aws)?;
        let mut aws = self.steady(aws)?;

        let Some(oddity) = self.oddity else {
            return Ok(aws);
        };
        oddity.make(&mut aws)?;
        self.steady(aws)
    }

    /// Deploys the stack of the pipeline, or updates it with further parameters.
    ///
    /// # Errors
    /// What the template refused.
    pub(crate) fn deploy_pipeline(
        &self,
        aws: &mut Aws,
        more: &[(&'static str, String)],
    ) -> Result<(), String> {
        if self.is_polled {
            let mut parameters = self.deploy_polled(aws)?;
            parameters.extend_from_slice(more);
            return self.deploy_pipeline_stack(aws, "custom-actions", &parameters);
        }
        let Some(pair) = &self.pair else {
            let mut parameters = self.pipeline_parameters(aws)?;
            parameters.extend_from_slice(more);
            return self.deploy_pipeline_stack(aws, "in-place", &parameters);
        };

        let mut parameters = self.pair_parameters(pair, aws)?;
        parameters.extend_from_slice(more);
        let is_judged = self.canary().is_some();
        let template = match pair.records {
            Some(_) => "dns",
            None if is_judged => "canary",
            None => "blue-green",
        };
        self.deploy_pipeline_stack(aws, template, &parameters)?;

        if is_judged {
            cloudwatch::set_alarm(aws, ALARM, "OK");
        }
        Ok(())
    }

    /// Deploys the stack of a pipeline from its template, or from a copy with HTTP checks.
    fn deploy_pipeline_stack(
        &self,
        aws: &mut Aws,
        template: &str,
        parameters: &[(&str, String)],
    ) -> Result<(), String> {
        let template = format!("infra/pipelines/{template}.yaml");
        let Some(checks) = self.checks else {
            return stack(aws, PIPELINE_STACK, &template, parameters);
        };

        let path = root().join(template);
        let text = checks.added_to(&text_of(&path)?, self, aws)?;
        let changed = (path.as_path(), text.as_str());
        stack_of(aws, PIPELINE_STACK, changed, parameters)
    }

    /// Sets the counts that the services have before the first push.
    fn set_counts(&self, aws: &mut Aws) -> Result<(), String> {
        let counts = match self.pair {
            None => vec![(WEB.to_owned(), self.count)],
            Some(_) => {
                let [blue, green] = self.colours(aws)?;
                vec![(blue, self.count), (green, 0)]
            }
        };
        for (service, count) in counts {
            let input = json!({"cluster": CLUSTER, "service": service, "desiredCount": count});
            ecs::call(aws, "UpdateService", &input).map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// The account once its services are steady, and requests have come to a pair that is judged.
    fn steady(&self, aws: Aws) -> Result<Aws, String> {
        run(aws, Fault::None, async |driver| {
            let steady = |aws: &Aws| {
                aws.ecs.services.values().all(|service| {
                    let primary = service.primary();
                    primary.is_some_and(|primary| primary.rollout != RolloutState::InProgress)
                        && aws.ecs.tasks_of(&service.arn).count() == service.desired_count as usize
                }) && aws.codepipeline.executions.iter().all(Execution::is_over)
            };
            driver.until(STEADY_LIMIT, &mut |_| Ok(()), steady).await?;

            if self.canary().is_some() {
                load(&mut driver.world.aws(), self);
                // A judge reads what was usual before.
                driver
                    .until(HISTORY, &mut |_| Ok(()), |_| false)
                    .await
                    .unwrap_or_default();
                // An account without its driver ends nothing that runs.
                driver.until(HISTORY, &mut |_| Ok(()), |_| true).await?;
            }
            Ok(driver.world.snapshot())
        })
    }

    /// The templates have no early success criteria: an operator switches them on.
    fn set_early_success(&self, aws: &mut Aws) -> Result<(), String> {
        let Some(cleanup) = self.early_success else {
            return Ok(());
        };
        let criteria = json!({
            "enable": true, "healthyPercent": 100, "sourceServiceRevisionCleanup": cleanup,
        });
        let input = json!({
            "cluster": CLUSTER, "service": WEB,
            "deploymentConfiguration": {"earlySuccessCriteria": criteria},
        });
        ecs::call(aws, "UpdateService", &input)
            .map(drop)
            .map_err(|e| e.to_string())
    }

    /// Deploys the service's stack, or updates it.
    ///
    /// # Errors
    /// What the template or a service refused.
    pub fn update_service_stack(&self, aws: &mut Aws) -> Result<(), String> {
        if let Some(records) = self.records() {
            return records.update_stacks(self, aws);
        }

        let mut parameters = self.service_parameters(WEB);
        if self.pair.is_some() {
            parameters.push(("BlueGreen", yes(true)));
        }
        if self.pair.as_ref().is_some_and(|pair| pair.is_named) {
            return unnamed_stack(aws, &parameters);
        }
        stack(aws, SERVICE_STACK, "infra/service.yaml", &parameters)
    }
}

/// The rule whose weights send production traffic to the colours of a pair.
pub(crate) fn production_rule(aws: &Aws) -> Option<String> {
    aws.cloudformation
        .export(&format!("{SERVICE_STACK}-ProductionRuleArn"))
        .map(ToOwned::to_owned)
}

/// What routes the traffic of a pair: its rule or its records.
pub(crate) fn route(aws: &Aws) -> Option<String> {
    production_rule(aws).or_else(|| routes::of_records(aws).into_keys().next())
}

/// Requests a second to what is behind a load balancer: as many as a judge needs where there is
/// one.
pub(crate) fn rate(shape: &Shape) -> f64 {
    let judged = |canary: &Canary| f64::from(canary.requests_per_second);
    shape.canary().map_or(REQUESTS_PER_SECOND, judged)
}

/// Lets requests come to what is behind a load balancer, or by the name of the records.
pub(crate) fn load(aws: &mut Aws, shape: &Shape) {
    if shape.records().is_some() {
        aws.traffic.requests_per_task = ROOM * REQUESTS_PER_SECOND;
        traffic::set_name(aws, records::NAME, REQUESTS_PER_SECOND);
        return;
    }

    let loaded = production_rule(aws).or_else(|| aws.elb.listeners.keys().next().cloned());
    let rate = rate(shape);
    if let Some(loaded) = loaded {
        aws.traffic.requests_per_task = ROOM * rate;
        traffic::set(aws, &loaded, rate);
    }
}

pub(super) fn yes(it_is: bool) -> String {
    if it_is { "yes" } else { "no" }.to_owned()
}

/// The service's stack without the names of the services, which CloudFormation then makes.
fn unnamed_stack(aws: &mut Aws, parameters: &[(&str, String)]) -> Result<(), String> {
    let path = root().join("infra/service.yaml");
    let text = text_of(&path)?;
    let lines = text
        .lines()
        .filter(|line| !line.contains("ServiceName: !Sub"));
    let unnamed = lines.collect::<Vec<&str>>().join("\n");

    let unnamed = (path.as_path(), unnamed.as_str());
    stack_of(aws, SERVICE_STACK, unnamed, parameters)
}

fn text_of(template: &Path) -> Result<String, String> {
    std::fs::read_to_string(template).map_err(|e| e.to_string())
}

/// Deploys a stack of a text that stands in place of its template's.
fn stack_of(
    aws: &mut Aws,
    name: &str,
    (template, text): (&Path, &str),
    parameters: &[(&str, String)],
) -> Result<(), String> {
    cloudformation::deploy_text(aws, name, template, text, &texts(parameters))
        .map_err(|e| format!("stack {name}: {e}"))
}

fn texts(parameters: &[(&str, String)]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

pub(super) fn stack(
    aws: &mut Aws,
    name: &str,
    template: &str,
    parameters: &[(&str, String)],
) -> Result<(), String> {
    let parameters = texts(parameters);
    cloudformation::deploy(aws, name, &root().join(template), &parameters)
        .map_err(|e| format!("stack {name}: {e}"))
}
