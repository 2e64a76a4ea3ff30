//! Transitions: read from the state of a pipeline, and disabled with a reason.

use serde_json::{Value, json};

use super::script::{Script, answer, refusal, run};
use crate::aws::{ErrorKind, Transitions};
use crate::observed::transition::Transition;

fn state() -> Value {
    json!({"pipelineName": "slipway-web", "stageStates": [
        {"stageName": "Source"},
        {"stageName": "UAT", "inboundTransitionState": {"enabled": true}},
        {"stageName": "Prod", "inboundTransitionState": {
            "enabled": false, "disabledReason": "e-1 failed",
            "lastChangedAt": 1_767_603_600, "lastChangedBy": "arn:aws:iam::111122223333:user/ann",
        }},
        {"stageName": "Last", "inboundTransitionState": {"enabled": false}},
    ]})
}

#[test]
fn the_transition_into_a_stage_is_read_with_the_reason_why_it_is_disabled() {
    let disabled = |reason: &str| Transition::Disabled {
        reason: reason.to_owned(),
    };
    for (stage, expected) in [
        ("Source", Transition::Enabled),
        ("UAT", Transition::Enabled),
        ("Prod", disabled("e-1 failed")),
        ("Last", disabled("")),
        ("prod", Transition::NoStage),
    ] {
        let script = Script::new([answer(&state())]);
        let read = run(Transitions::new(&script.sdk()).inbound("slipway-web", stage));
        assert_eq!(read.expect("answered"), expected, "{stage}");
        assert_eq!(script.only().operation(), "GetPipelineState");
        assert_eq!(script.only().json(), json!({"name": "slipway-web"}));
    }

    let script = Script::new([refusal("AccessDeniedException", "no")]);
    let read = run(Transitions::new(&script.sdk()).inbound("slipway-web", "UAT"));
    let error = read.expect_err("denied");
    assert_eq!(
        (error.operation, error.kind),
        ("codepipeline:GetPipelineState", ErrorKind::Permission)
    );
}

#[test]
fn the_transition_into_a_stage_is_disabled_with_a_reason_that_codepipeline_accepts() {
    let script = Script::new([answer(&json!({}))]);
    let transitions = Transitions::new(&script.sdk());
    run(transitions.disable("slipway-web", "Prod", "e-1: failed")).expect("disabled");

    assert_eq!(script.only().operation(), "DisableStageTransition");
    assert_eq!(
        script.only().json(),
        json!({
            "pipelineName": "slipway-web", "stageName": "Prod", "transitionType": "Inbound",
            "reason": "e-1- failed",
        })
    );

    let script = Script::new([refusal("StageNotFoundException", "no")]);
    let refused = run(Transitions::new(&script.sdk()).disable("slipway-web", "Prod", "e-1"));
    assert_eq!(
        refused.expect_err("no stage").operation,
        "codepipeline:DisableStageTransition"
    );
}
