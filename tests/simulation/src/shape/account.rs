//! The account of a shape: its stacks deployed from the project's own templates, and steady.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;

use crate::canary::{ALARM, Canary};
use emulator::codepipeline::Execution;
use emulator::ecs::RolloutState;
use emulator::{Aws, cloudformation, cloudwatch, ecs, traffic};
use harness::demo::{CLUSTER, WEB, root, task_roles};
use harness::driver::{Fault, run};
use invariants::ledger_reader::FUNCTIONS_STACK;

use super::{Floor, PIPELINE, Pair, Shape, Shift, Strategy};

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
        self.update_service_stack(&mut aws)?;
        stack(&mut aws, FUNCTIONS_STACK, "template.yaml", &[])?;

        self.deploy_pipeline(&mut aws)?;
        self.set_counts(&mut aws)?;
        self.set_early_success(&mut aws)?;
        let mut aws = self.steady(aws)?;

        let Some(oddity) = self.oddity else {
            return Ok(aws);
        };
        oddity.make(&mut aws)?;
        self.steady(aws)
    }

    fn deploy_pipeline(&self, aws: &mut Aws) -> Result<(), String> {
        let Some(pair) = &self.pair else {
            let parameters = self.pipeline_parameters(aws)?;
            return stack(
                aws,
                PIPELINE_STACK,
                "infra/pipelines/in-place.yaml",
                &parameters,
            );
        };

        let parameters = self.pair_parameters(pair, aws)?;
        let is_judged = self.canary().is_some();
        let template = if is_judged { "canary" } else { "blue-green" };
        let template = format!("infra/pipelines/{template}.yaml");
        stack(aws, PIPELINE_STACK, &template, &parameters)?;

        if is_judged {
            cloudwatch::set_alarm(aws, ALARM, "OK");
        }
        Ok(())
    }

    /// Sets the counts that the services have before the first push.
    fn set_counts(&self, aws: &mut Aws) -> Result<(), String> {
        let counts = match self.pair {
            None => vec![(WEB.to_owned(), self.count)],
            Some(_) => {
                let [blue, green] = colours(aws)?;
                vec![(blue, self.count), (green, 0)]
            }
        };
        for (service, count) in counts {
            let asked = json!({"cluster": CLUSTER, "service": service, "desiredCount": count});
            ecs::call(aws, "UpdateService", &asked).map_err(|e| e.to_string())?;
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

            if let Some(canary) = self.canary() {
                load(&mut driver.world.aws(), Some(canary));
                // A judge asks what was usual before.
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
        let asked = json!({
            "cluster": CLUSTER, "service": WEB,
            "deploymentConfiguration": {"earlySuccessCriteria": criteria},
        });
        ecs::call(aws, "UpdateService", &asked)
            .map(drop)
            .map_err(|e| e.to_string())
    }

    /// Deploys the service's stack, or updates it.
    ///
    /// # Errors
    /// What the template or a service refused.
    pub fn update_service_stack(&self, aws: &mut Aws) -> Result<(), String> {
        let tight = self.strategy == Strategy::MakeRoom && self.count > 1;
        let parameters = [
            ("Name", WEB.to_owned()),
            ("VpcId", "vpc-0a1b2c3d".to_owned()),
            ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e".to_owned()),
            ("Cluster", CLUSTER.to_owned()),
            (
                "LaunchType",
                if self.fargate { "FARGATE" } else { "EC2" }.to_owned(),
            ),
            (
                "HostPort",
                if self.static_port { "80" } else { "0" }.to_owned(),
            ),
            ("LoadBalanced", yes(self.load_balanced)),
            ("HealthCheckGraceSeconds", self.grace_secs.to_string()),
            ("DeregistrationDelaySeconds", self.drain_secs.to_string()),
            (
                "MinimumHealthyPercent",
                if tight { "50" } else { "100" }.to_owned(),
            ),
            (
                "MaximumPercent",
                if tight { "100" } else { "200" }.to_owned(),
            ),
        ];

        let mut parameters = parameters.to_vec();
        if self.rebalanced {
            parameters.push(("AvailabilityZoneRebalancing", "ENABLED".to_owned()));
        }
        if let Some(pair) = &self.pair {
            parameters.push(("BlueGreen", yes(true)));
            if let Some((least, most)) = pair.capacity {
                parameters.extend([
                    ("MinCapacity", least.to_string()),
                    ("MaxCapacity", most.to_string()),
                ]);
            }
        }
        if self.pair.as_ref().is_some_and(|pair| pair.is_named) {
            return unnamed_stack(aws, &parameters);
        }
        stack(aws, SERVICE_STACK, "infra/service.yaml", &parameters)
    }

    fn pair_parameters(
        &self,
        pair: &Pair,
        aws: &Aws,
    ) -> Result<Vec<(&'static str, String)>, String> {
        let mut parameters = vec![
            ("PipelineName", PIPELINE.to_owned()),
            ("TaskRoleArns", task_roles(aws, SERVICE_STACK)?),
            ("Cluster", CLUSTER.to_owned()),
            ("Service", WEB.to_owned()),
            (
                "Rule",
                production_rule(aws).ok_or("the pair has no production rule")?,
            ),
            ("Repository", WEB.to_owned()),
            ("ContainerName", "web".to_owned()),
            (
                "ExecutionMode",
                if self.queued { "QUEUED" } else { "SUPERSEDED" }.to_owned(),
            ),
            ("DeadlineMinutes", self.deadline_minutes.to_string()),
            ("Approval", yes(self.approval)),
            ("BakeMinutes", pair.bake_minutes.to_string()),
            (
                "MinimumHealthyPercent",
                pair.minimum_healthy_percent.to_string(),
            ),
            ("DrainMinutes", pair.drain_minutes.to_string()),
        ];
        parameters.extend(
            self.initial_count
                .map(|count| ("InitialCount", count.to_string())),
        );
        parameters.extend(shift_parameters(&pair.shift));
        if pair.is_named {
            let [blue, green] = colours(aws)?;
            parameters.extend([("BlueService", blue), ("GreenService", green)]);
        }

        if self.canary().is_none() {
            parameters.push(("StepMinutes", "1".to_owned()));
        }
        Ok(parameters)
    }

    fn pipeline_parameters(&self, aws: &Aws) -> Result<Vec<(&'static str, String)>, String> {
        let strategy = match self.strategy {
            Strategy::Rolling => "rolling",
            Strategy::Doubling => "doubling",
            Strategy::MakeRoom | Strategy::BlueGreen => "make-room",
        };
        let mut parameters = vec![
            ("PipelineName", PIPELINE.to_owned()),
            ("TaskRoleArns", task_roles(aws, SERVICE_STACK)?),
            ("Cluster", CLUSTER.to_owned()),
            ("Service", WEB.to_owned()),
            ("Repository", WEB.to_owned()),
            ("ContainerName", "web".to_owned()),
            (
                "ExecutionMode",
                if self.queued { "QUEUED" } else { "SUPERSEDED" }.to_owned(),
            ),
            ("Strategy", strategy.to_owned()),
            ("DeadlineMinutes", self.deadline_minutes.to_string()),
            ("Approval", yes(self.approval)),
        ];
        match self.floor {
            Floor::Unsaid => {}
            Floor::Percent(percent) => {
                parameters.push(("MinimumHealthyPercent", percent.to_string()))
            }
            Floor::Tasks(tasks) => parameters.push(("MinimumHealthyTasks", tasks.to_string())),
        }

        parameters.extend(
            self.maximum_percent
                .map(|percent| ("MaximumPercent", percent.to_string())),
        );
        parameters.extend(
            self.desired_count
                .map(|count| ("DesiredCount", count.to_string())),
        );
        parameters.extend(
            self.initial_count
                .map(|count| ("InitialCount", count.to_string())),
        );
        Ok(parameters)
    }
}

fn shift_parameters(shift: &Shift) -> Vec<(&'static str, String)> {
    match shift {
        Shift::AllAtOnce => vec![("Shift", "all-at-once".to_owned())],
        Shift::Linear(percent) => vec![
            ("Shift", "linear".to_owned()),
            ("StepPercent", percent.to_string()),
        ],
        Shift::Listed(steps) => vec![
            ("Shift", "listed".to_owned()),
            ("Steps", (*steps).to_owned()),
        ],
        Shift::Judged(canary) => canary.parameters(),
    }
}

/// The names of the services of a pair, blue first.
fn colours(aws: &Aws) -> Result<[String; 2], String> {
    let exported = |output: &str| {
        let name = aws
            .cloudformation
            .export(&format!("{SERVICE_STACK}-{output}"));
        name.map(ToOwned::to_owned)
            .ok_or_else(|| format!("the pair has no {output}"))
    };
    Ok([exported("BlueServiceName")?, exported("GreenServiceName")?])
}

/// The rule whose weights send production traffic to the colours of a pair.
pub(crate) fn production_rule(aws: &Aws) -> Option<String> {
    aws.cloudformation
        .export(&format!("{SERVICE_STACK}-ProductionRuleArn"))
        .map(ToOwned::to_owned)
}

/// Lets requests come to what is behind a load balancer, as many as a judge needs where there is
/// one.
pub(crate) fn load(aws: &mut Aws, canary: Option<&Canary>) {
    let loaded = production_rule(aws).or_else(|| aws.elb.listeners.keys().next().cloned());
    let rate = canary.map_or(REQUESTS_PER_SECOND, |canary| {
        f64::from(canary.requests_per_second)
    });

    if let Some(loaded) = loaded {
        aws.traffic.requests_per_task = ROOM * rate;
        traffic::set(aws, &loaded, rate);
    }
}

fn yes(it_is: bool) -> String {
    if it_is { "yes" } else { "no" }.to_owned()
}

/// The service's stack without the names of the services, which CloudFormation then makes.
fn unnamed_stack(aws: &mut Aws, parameters: &[(&str, String)]) -> Result<(), String> {
    let path = root().join("infra/service.yaml");
    let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
    let lines = text
        .lines()
        .filter(|line| !line.contains("ServiceName: !Sub"));
    let unnamed: Vec<&str> = lines.collect();

    let parameters = texts(parameters);
    cloudformation::deploy_text(aws, SERVICE_STACK, &path, &unnamed.join("\n"), &parameters)
        .map_err(|e| format!("stack {SERVICE_STACK}: {e}"))
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
