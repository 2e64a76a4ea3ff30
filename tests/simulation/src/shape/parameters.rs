//! The parameters of a shape's stacks.

use emulator::Aws;
use harness::demo::{CLUSTER, WEB, scalable_targets, task_roles};

use super::account::{SERVICE_STACK, production_rule, yes};
use super::{Floor, PIPELINE, Pair, Shape, makes_room, records};

/// Parameters of a stack.
pub(super) type Parameters = Vec<(&'static str, String)>;

impl Shape {
    /// The parameters of a stack with a service, or a pair, of this name.
    pub(super) fn service_parameters(&self, name: &str) -> Parameters {
        let tight = makes_room(self.strategy) && self.count > 1;
        let parameters = [
            ("Name", name.to_owned()),
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
        if let Some((least, most)) = self.pair.as_ref().and_then(|pair| pair.capacity) {
            parameters.extend([
                ("MinCapacity", least.to_string()),
                ("MaxCapacity", most.to_string()),
            ]);
        }
        parameters
    }

    pub(super) fn pair_parameters(&self, pair: &Pair, aws: &Aws) -> Result<Parameters, String> {
        let [blue, green] = self.colours(aws)?;
        let mut parameters = vec![
            ("PipelineName", PIPELINE.to_owned()),
            (
                "ScalableTargetArns",
                scalable_targets(aws, CLUSTER, [&blue, &green]),
            ),
            ("Cluster", CLUSTER.to_owned()),
            ("Service", WEB.to_owned()),
            ("Repository", WEB.to_owned()),
            ("ContainerName", "web".to_owned()),
            ("DeadlineMinutes", self.deadline_minutes.to_string()),
            ("BakeMinutes", pair.bake_minutes.to_string()),
            (
                "MinimumHealthyPercent",
                pair.minimum_healthy_percent.to_string(),
            ),
            ("DrainMinutes", pair.drain_minutes.to_string()),
        ];
        parameters.extend(match pair.records {
            Some(records) => records.of_pipeline(aws)?,
            None => self.rule_parameters(aws)?,
        });
        parameters.extend(
            self.initial_count
                .map(|count| ("InitialCount", count.to_string())),
        );
        parameters.extend(pair.shift.parameters());
        if pair.is_named {
            parameters.extend([("BlueService", blue), ("GreenService", green)]);
        }

        if self.canary().is_none() {
            parameters.push(("StepMinutes", "1".to_owned()));
        }
        Ok(parameters)
    }

    /// What only the pipelines of pairs behind a rule get.
    fn rule_parameters(&self, aws: &Aws) -> Result<Parameters, String> {
        let rule = production_rule(aws).ok_or("the pair has no production rule")?;
        let mode = if self.queued { "QUEUED" } else { "SUPERSEDED" };
        Ok(vec![
            ("TaskRoleArns", task_roles(aws, SERVICE_STACK)?),
            ("Rule", rule),
            ("ExecutionMode", mode.to_owned()),
            ("Approval", yes(self.approval)),
        ])
    }

    /// The names of the services of a pair, blue first.
    pub(crate) fn colours(&self, aws: &Aws) -> Result<[String; 2], String> {
        if self.records().is_some() {
            return Ok(records::services());
        }
        let exported = |output: &str| {
            let name = aws
                .cloudformation
                .export(&format!("{SERVICE_STACK}-{output}"));
            name.map(ToOwned::to_owned)
                .ok_or_else(|| format!("the pair has no {output}"))
        };
        Ok([exported("BlueServiceName")?, exported("GreenServiceName")?])
    }

    pub(super) fn pipeline_parameters(&self, aws: &Aws) -> Result<Parameters, String> {
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
            ("Strategy", self.strategy.rules().word.to_owned()),
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
