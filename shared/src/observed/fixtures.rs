//! What tests observe: services that are steady on a revision.

use super::percentages::Percentages;
use super::service::{DeploymentView, Rollout, Scheduling, ServiceView, TargetGroupView};
use crate::timestamp::Timestamp;

pub(crate) const OLD: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
pub(crate) const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

pub(crate) fn deployment(
    id: &str,
    task_definition: &str,
    primary: bool,
    rollout: Rollout,
) -> DeploymentView {
    DeploymentView {
        id: id.to_owned(),
        primary,
        task_definition: task_definition.to_owned(),
        rollout,
        reason: String::new(),
        desired: 2,
        running: 2,
        pending: 0,
        failed_tasks: 0,
    }
}

pub(crate) fn steady(task_definition: &str) -> ServiceView {
    ServiceView {
        observed_at: Timestamp::from_secs(1_767_603_600).expect("in range"),
        status: "ACTIVE".to_owned(),
        desired: 2,
        running: 2,
        pending: 0,
        proven: 2,
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
        deployments: vec![deployment(
            "ecs-svc/1",
            task_definition,
            true,
            Rollout::Completed,
        )],
        target_groups: vec![TargetGroupView {
            arn: "arn:…:targetgroup/web/0123456789abcdef".to_owned(),
            healthy: 2,
            registered: 2,
            unreachable: 0,
            healthy_newcomers: 0,
        }],
        messages: Vec::new(),
    }
}
