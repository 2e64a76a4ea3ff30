use super::*;
use crate::limits::{PAYLOAD_CHARS, TOKEN_CHARS};

#[test]
fn tokens_round_trip_and_those_of_others_are_refused() {
    let token = Token::new(
        "update-service",
        Timestamp::from_secs(1_767_603_600).expect("in range"),
    );
    assert_eq!(
        Token::parse(&token.text(), "update-service"),
        Ok(token.clone())
    );

    let loaded = token.with_payload(Some(json!({ "minute": 7 })));
    assert_eq!(Token::parse(&loaded.text(), "update-service"), Ok(loaded));

    let token = Token::new(
        "update-service",
        Timestamp::from_secs(1_767_603_600).expect("in range"),
    );
    assert!(Token::parse(&token.text(), "begin-release").is_err());
    assert!(Token::parse("A continuation token if continuing job", "update-service").is_err());
    assert!(
        Token::parse(
            &token.text().replace("\"v\":1", "\"v\":2"),
            "update-service"
        )
        .is_err()
    );
}

#[test]
fn a_token_is_written_as_version_step_since_and_payload() {
    let token = Token::new(
        "update-service",
        Timestamp::from_secs(1_767_603_600).expect("in range"),
    );
    assert_eq!(
        token.text(),
        r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z"}"#
    );
    assert_eq!(
        token
            .clone()
            .with_payload(Some(json!({"minute": 7})))
            .text(),
        concat!(
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","#,
            r#""payload":{"minute":7}}"#
        )
    );

    let later = Timestamp::from_secs(1_767_603_660).expect("in range");
    assert_eq!(
        token.learned_at(later).with_payload(Some(json!(7))).text(),
        concat!(
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","#,
            r#""learned":"2026-01-05T09:01:00Z","payload":7}"#
        )
    );
}

#[test]
fn a_token_knows_when_its_action_last_learned_something() {
    let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
    let first = Token::new("update-service", at(0));
    assert_eq!(first.last_learned(), at(0));
    assert_eq!(first.clone().learned_at(at(0)), first);

    let later = first.learned_at(at(60));
    assert_eq!(later.last_learned(), at(60));
    assert_eq!(
        Token::parse(&later.text(), "update-service"),
        Ok(later.clone())
    );
    assert_eq!(later.learned_at(at(90)).last_learned(), at(90));
}

#[test]
fn a_token_knows_when_a_freeze_last_held_its_action_back() {
    let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
    let held = Token::new("update-service", at(0)).frozen_at(at(60));
    assert_eq!(
        held.text(),
        concat!(
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","#,
            r#""learned":"2026-01-05T09:01:00Z","frozen":"2026-01-05T09:01:00Z"}"#
        )
    );
    assert_eq!(
        Token::parse(&held.text(), "update-service"),
        Ok(held.clone())
    );
    assert_eq!(held.learned_at(at(90)).frozen, Some(at(60)));
}

#[test]
fn a_token_keeps_the_first_refusal_until_it_has_not_come_again_for_3_minutes() {
    let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
    let first = Token::new("update-service", at(0)).refused_at(at(60));
    assert_eq!(
        first.text(),
        concat!(
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","#,
            r#""refused":"2026-01-05T09:01:00Z"}"#
        )
    );
    assert_eq!(
        Token::parse(&first.text(), "update-service"),
        Ok(first.clone())
    );
    let later = |token: &Token, secs| token.clone().without_old_refusals(at(secs));
    assert_eq!(later(&first, 239), first);
    let counted = Token {
        refused_again: Some(at(60)),
        refused_before: 1,
        ..Token::new("update-service", at(0))
    };
    assert_eq!(later(&first, 240), counted);
    assert_eq!(
        counted.text(),
        concat!(
            r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","#,
            r#""refused_again":"2026-01-05T09:01:00Z","refused_before":1}"#
        )
    );
    assert_eq!(
        Token::parse(&counted.text(), "update-service"),
        Ok(counted.clone())
    );
    assert_eq!(later(&counted, 420), counted, "it is counted once");
    let second = later(&counted.refused_at(at(300)), 480);
    assert_eq!((second.refused, second.refused_before), (None, 2));

    let again = first.learned_at(at(100)).refused_at(at(140));
    let times = |token: &Token| (token.refused, token.refused_again);
    assert_eq!(times(&again), (Some(at(60)), Some(at(140))));
    assert_eq!(
        Token::parse(&again.text(), "update-service"),
        Ok(again.clone())
    );
    assert_eq!(later(&again, 319), again);
    let forgotten = later(&again, 320);
    assert_eq!(times(&forgotten), (None, Some(at(140))));
    assert_eq!(times(&forgotten.refused_at(at(330))), (Some(at(330)), None));
}

#[test]
fn refusals_that_are_counted_are_forgotten_when_none_has_come_for_an_hour() {
    let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
    let first = Token::new("update-service", at(0));
    let counted = first
        .clone()
        .refused_at(at(60))
        .without_old_refusals(at(240));
    assert_eq!(counted.refused_before, 1);

    let later = |token: &Token, secs| token.clone().without_old_refusals(at(secs));
    assert_eq!(later(&counted, 3_659), counted);
    assert_eq!(later(&counted, 3_660), first);
    assert_eq!(later(&first.clone().refused_at(at(60)), 3_660), first);

    let second = counted.refused_at(at(3_600));
    assert_eq!(later(&second, 3_780).refused_before, 2);
    assert_eq!(later(&second, 7_200), first);
}

#[test]
fn a_token_keeps_the_pipeline_that_one_job_of_its_action_checked() {
    let since = Timestamp::from_secs(1_767_603_600).expect("in range");
    let token = Token::new("update-service", since).of_pipeline(Some("arn".to_owned()));
    assert!(token.text().ends_with(r#"","pipeline":"arn"}"#));
    let long = Some("x".repeat(PIPELINE_ARN_CHARS + 1));
    assert_eq!(token.clone().of_pipeline(long), token, "there is no room");
    let read = Token::parse(&token.text(), "update-service");
    assert_eq!(read.map(|read| read.of_pipeline(None)), Ok(token));
}

#[test]
fn what_a_job_kept_is_in_its_token_whatever_it_ended_with() {
    let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
    let before = Token::new("evaluate-canary", at(0)).with_payload(Some(json!(1)));
    assert_eq!(before.clone().keeping(None), before);
    let kept = before.keeping(Some(json!(2)));
    let ends = [
        kept.clone(),
        kept.clone().refused_at(at(60)),
        kept.frozen_at(at(60)),
    ];
    assert_eq!(
        ends.map(|token| token.payload),
        [(); 3].map(|()| Some(json!(2)))
    );
}

#[test]
fn the_longest_payload_fits_into_a_token_that_has_everything() {
    let at = |secs: i64| Timestamp::from_secs(1_767_603_600 + secs).expect("in range");
    let payload = "x".repeat(PAYLOAD_CHARS - "\"\"".len());
    let token = Token {
        refused_before: SECOND_LOOKS,
        ..Token::new("register-task-definition", at(0))
            .learned_at(at(60))
            .refused_at(at(120))
            .refused_at(at(180))
            .frozen_at(at(240))
            .of_pipeline(Some("x".repeat(PIPELINE_ARN_CHARS)))
            .with_payload(Some(json!(payload)))
    };

    let text = token.text();
    assert!(text.len() <= TOKEN_CHARS, "{}", text.len());
}

#[test]
fn a_token_of_another_step_or_version_is_refused_with_what_was_found_and_the_remedy() {
    let refused = |text: &str| Token::parse(text, "update-service").expect_err("refused");
    let remedy = "retry the stage, so that the action starts again";
    let expected = |found: &str| {
        Failure::job(format!(
            "the continuation token is {found}, expected version 1 of update-service; {remedy}"
        ))
    };
    let token = |v: u32, step: &str| {
        json!({"v": v, "step": step, "since": "2026-01-05T09:00:00Z"}).to_string()
    };

    assert_eq!(
        refused(&token(2, "update-service")),
        expected("version 2 of update-service")
    );
    assert_eq!(
        refused(&token(1, "begin-release")),
        expected("version 1 of begin-release")
    );

    for text in [
        "",
        "null",
        r#"{"v":1,"step":"update-service"}"#,
        r#"{"v":1,"step":"update-service","since":"yesterday"}"#,
        r#"{"v":1,"step":"update-service","since":"2026-01-05T09:00:00Z","more":1}"#,
    ] {
        let Failure { kind, message, .. } = refused(text);
        assert_eq!(kind, super::super::FailureType::JobFailed);
        assert!(
            message.starts_with(
                "the continuation token was not written by update-service of this version: "
            ) && message.ends_with(remedy),
            "{message}"
        );
    }
}
