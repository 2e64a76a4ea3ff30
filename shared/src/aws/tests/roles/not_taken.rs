//! Credentials of a deploy role that AWS does not take: new ones are requested.

use super::*;

/// What becomes of three readings of which the first is refused: its kind, and what was called.
fn refused_first(code: &str, assumed_again: bool) -> (ErrorKind, Vec<String>) {
    let again = assumed_again.then(|| assumed(3_600));
    let answers = [assumed(3_600), refusal(code, "no")]
        .into_iter()
        .chain(again);
    let script = Script::new(answers.chain([failed_execution(), failed_execution()]));
    let sdk = script.sdk();
    let reading = || status(&sdk.acting_for(&role(PIPELINE)));

    let error = reading().expect_err("refused");
    for _ in 0..2 {
        assert_eq!(reading().expect("read").as_deref(), Some("Failed"));
    }
    (error.kind, script.operations())
}

#[test]
fn a_role_is_assumed_again_once_its_credentials_are_not_taken() {
    for code in [
        "ExpiredTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    ] {
        let (kind, called) = refused_first(code, true);
        assert_eq!(kind, ErrorKind::Credentials, "{code}");
        assert_eq!(
            called,
            [
                "AssumeRole",
                "GetPipelineExecution",
                "AssumeRole",
                "GetPipelineExecution",
                "GetPipelineExecution"
            ],
            "{code}"
        );
    }

    let (kind, called) = refused_first("AccessDeniedException", false);
    assert_eq!((kind, called.len()), (ErrorKind::Permission, 4));
}
