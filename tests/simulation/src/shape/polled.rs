//! Services and pairs whose pipeline is of custom actions: the functions poll for the jobs of their
//! steps. Their template has fewer parameters than the others, so that less of them is drawn.

use harness::demo::{CLUSTER, WEB, custom_actions, scalable_targets, task_roles};

use super::account::{SERVICE_STACK, production_rule, yes};
use super::parameters::Parameters;
use super::{DrawnShift, Floor, PIPELINE, Pair, Shape, Strategy, makes_room};
use emulator::Aws;

/// How long a rollout may take: CodePipeline gives a custom action an hour.
const DEADLINE_MINUTES: u32 = 20;

impl Shape {
    /// The shape of a number from [`super::POLLED_FROM`] on: every other one is a pair.
    pub(super) fn polled(number: u32) -> Self {
        let shape = if number.is_multiple_of(2) {
            Self::of_service(number)
        } else {
            Self::of_pair(number)
        };
        Self {
            floor: Floor::Unsaid,
            maximum_percent: None,
            desired_count: None,
            initial_count: None,
            deadline_minutes: DEADLINE_MINUTES,
            oddity: None,
            checks: None,
            is_polled: true,
            ..shape
        }
    }

    fn of_service(number: u32) -> Self {
        let mut rng = fastrand::Rng::with_seed(u64::from(number) * 7919 + 17);
        let shape = Self::single(number, &mut rng);
        // Without the counts and bounds that were drawn with it, what is drawn for a larger service
        // may have no room.
        let strategy = if makes_room(shape.strategy) && shape.count < 2 {
            Strategy::Rolling
        } else {
            shape.strategy
        };
        Self {
            strategy,
            instances: shape.instances.max(shape.count + 1),
            rebalanced: false,
            ..shape
        }
    }

    fn of_pair(number: u32) -> Self {
        let shape = Self::pair(number);
        let pair = shape.pair.map(|pair| Pair {
            shift: DrawnShift::Linear([34, 50, 60][number as usize % 3]),
            is_named: false,
            ..pair
        });
        Self { pair, ..shape }
    }

    /// Deploys what only these shapes have, and their pipeline.
    pub(super) fn deploy_polled(&self, aws: &mut Aws) -> Result<Parameters, String> {
        custom_actions::deploy_types(aws)?;
        let mode = if self.queued { "QUEUED" } else { "SUPERSEDED" };
        let mut parameters = vec![
            ("PipelineName", PIPELINE.to_owned()),
            ("TaskRoleArns", task_roles(aws, SERVICE_STACK)?),
            ("Cluster", CLUSTER.to_owned()),
            ("Service", WEB.to_owned()),
            ("Repository", WEB.to_owned()),
            ("ContainerName", "web".to_owned()),
            ("ExecutionMode", mode.to_owned()),
            ("DeadlineMinutes", self.deadline_minutes.to_string()),
            ("Approval", yes(self.approval)),
        ];
        match &self.pair {
            None => parameters.push(("Strategy", self.strategy.rules().word.to_owned())),
            Some(pair) => parameters.extend(self.of_flow(pair, aws)?),
        }
        Ok(parameters)
    }

    /// What only a pair gets.
    fn of_flow(&self, pair: &Pair, aws: &Aws) -> Result<Parameters, String> {
        let [blue, green] = self.colours(aws)?;
        let DrawnShift::Linear(percent) = pair.shift else {
            return Err("the template has equal steps only".to_owned());
        };
        Ok(vec![
            ("Flow", "blue-green".to_owned()),
            (
                "Rule",
                production_rule(aws).ok_or("the pair has no production rule")?,
            ),
            (
                "ScalableTargetArns",
                scalable_targets(aws, CLUSTER, [&blue, &green]),
            ),
            ("StepPercent", percent.to_string()),
            ("StepMinutes", "1".to_owned()),
            ("BakeMinutes", pair.bake_minutes.to_string()),
            ("DrainMinutes", pair.drain_minutes.to_string()),
            (
                "MinimumHealthyPercent",
                pair.minimum_healthy_percent.to_string(),
            ),
        ])
    }
}
