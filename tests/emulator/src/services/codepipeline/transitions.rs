//! Disabling and enabling the way into and out of a stage.

use serde_json::{Value, json};

use super::input::{self, Checks, DISABLED_REASON, NAME};
use super::state::Transition;
use super::{engine, known, require_stage};
use crate::{ApiError, Aws, Millis};

/// What waits at a transition that is enabled after longer than this does not go on.
const RESUMED_WITHIN: Millis = 30 * 24 * 3_600_000;

pub(super) fn disable(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &["pipelineName", "stageName", "transitionType", "reason"],
    )?;
    let mut checks = Checks::default();
    let reason = checks
        .text(&given["reason"], "reason", &DISABLED_REASON)?
        .to_owned();
    let transition = Transition {
        reason,
        since: aws.now,
    };
    set(aws, given, checks, Some(transition))
}

pub(super) fn enable(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["pipelineName", "stageName", "transitionType"])?;
    set(aws, given, Checks::default(), None)
}

fn set(
    aws: &mut Aws,
    given: &Value,
    mut checks: Checks,
    disabled: Option<Transition>,
) -> Result<Value, ApiError> {
    let name = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let stage = checks.text(&given["stageName"], "stageName", &NAME)?;
    let inbound = checks.one_of(
        &given["transitionType"],
        "transitionType",
        &["Inbound", "Outbound"],
    )? == "Inbound";

    checks.done()?;
    require_stage(known(aws, name)?, stage)?;
    let now = aws.now;
    let Some(pipeline) = aws.codepipeline.pipelines.get_mut(name) else {
        return Ok(json!({}));
    };
    let Some(index) = pipeline.lanes.iter().position(|lane| lane.stage == stage) else {
        return Ok(json!({}));
    };

    let lane = &mut pipeline.lanes[index];
    let transition = if inbound {
        &mut lane.disabled_inbound
    } else {
        &mut lane.disabled_outbound
    };
    let was = std::mem::replace(transition, disabled);
    if was.is_some_and(|was| now - was.since > RESUMED_WITHIN) {
        return Ok(json!({}));
    }

    let entered = pipeline
        .lanes
        .get(index + usize::from(!inbound))
        .map(|lane| lane.stage.clone());
    if let Some(entered) = entered {
        engine::admit(aws, name, &entered);
    }
    Ok(json!({}))
}
