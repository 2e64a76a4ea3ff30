use serde_json::json;

use super::*;
use crate::observed::percentages::Percentages;
use crate::timestamp::at;

/// 400 days after the start.
const EXPIRES: i64 = 1_767_603_600 + 34_560_000;

fn started() -> Record {
    Record {
        v: 1,
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: Some("sha256:00".to_owned()),
        cluster: None,
        service: None,
        state: RecordState::Started,
        earlier: Vec::new(),
        action: None,
        brings_back: false,
        deploy_role: None,
        outcome: None,
        reason: None,
        needs_operator: false,
        withdrawn: false,
        frozen: false,
        prior: None,
        change: None,
        repaired: None,
        shift: None,
        judgements: Vec::new(),
        started_at: at(0),
        ended_at: None,
        expires_at: None,
    }
}

#[test]
fn a_record_goes_from_started_to_begun_or_closed_and_keeps_what_it_was() {
    assert_eq!(
        Record::started("e-1", "slipway-web", Some("sha256:00"), at(0)),
        started()
    );
    assert_eq!(
        Record::started("e-1", "slipway-web", None, at(0)),
        Record {
            digest: None,
            ..started()
        }
    );

    let begun = Record {
        state: RecordState::Begun,
        cluster: Some("apps".to_owned()),
        service: Some("web".to_owned()),
        ..started()
    };
    assert_eq!(started().begun("apps", "web"), begun);
    let unreadable = Record {
        reason: Some("because".to_owned()),
        ..started()
    };
    assert_eq!(unreadable.begun("apps", "web"), begun, "it was readable");

    let closed = Record {
        state: RecordState::Closed,
        outcome: Some(Outcome::Superseded),
        reason: Some("because".to_owned()),
        ended_at: Some(at(9)),
        expires_at: Some(EXPIRES + 9),
        ..started()
    };

    assert_eq!(
        started().closed(Outcome::Superseded, "because", at(9)),
        closed
    );
}

#[test]
fn a_release_that_brings_back_what_ran_is_one_until_it_ends() {
    let bringing_back = Record {
        brings_back: true,
        ..started()
    };
    let stored = serde_json::to_value(&bringing_back).expect("serializes");
    assert_eq!(stored["brings_back"], json!(true));
    let read: Record = serde_json::from_value(stored).expect("parses");
    assert_eq!(read, bringing_back);
    assert!(read.begun("apps", "web").brings_back);

    let other = serde_json::to_value(started()).expect("serializes");
    assert_eq!(other.get("brings_back"), None);
}

#[test]
fn the_record_of_a_digest_that_was_rolled_back_never_expires() {
    for (outcome, expires) in [
        (Outcome::Failed, Some(EXPIRES + 9)),
        (Outcome::RolledBack, None),
    ] {
        let closed = started().closed(outcome, "because", at(9));
        assert_eq!(closed.expires_at, expires, "{outcome}");
    }
}

#[test]
fn an_unreadable_job_is_in_the_record_until_the_release_begins() {
    let failure = Failure::configuration("`cluster` is missing");
    let noted = Record {
        reason: Some("`cluster` is missing".to_owned()),
        ..started()
    };
    assert_eq!(started().with_unreadable_job(&failure), Some(noted));

    let begun = started().begun("apps", "web");
    assert_eq!(begun.with_unreadable_job(&failure), None);
    let closed = started().closed(Outcome::Superseded, "because", at(9));
    assert_eq!(closed.with_unreadable_job(&failure), None);
}

#[test]
fn a_closed_release_is_refused_with_how_it_ended() {
    let refusal = |outcome| {
        Record {
            outcome,
            ..started()
        }
        .refusal()
    };
    let refused = |word: &str| {
        Failure::configuration(format!(
            "release already {word}; start again with a new execution"
        ))
    };

    assert_eq!(refusal(Some(Outcome::RolledBack)), refused("rolled back"));
    assert_eq!(refusal(Some(Outcome::Deployed)), refused("deployed"));
    assert_eq!(refusal(None), refused("closed"));
}

#[test]
fn outcomes_are_written_and_stored_as_the_same_words() {
    let words = [
        (Outcome::Deployed, "deployed"),
        (Outcome::Unchanged, "unchanged"),
        (Outcome::RolledBack, "rolled-back"),
        (Outcome::Superseded, "superseded"),
        (Outcome::Held, "held"),
        (Outcome::Failed, "failed"),
    ];

    for (outcome, word) in words {
        assert_eq!(outcome.to_string(), word);
        assert_eq!(
            serde_json::to_value(outcome).expect("serializes"),
            json!(word)
        );
    }
}

#[test]
fn a_record_is_stored_without_what_it_does_not_have() {
    let stored = json!({
        "v": 1, "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00",
        "state": "started", "started_at": "2026-01-05T09:00:00Z",
    });
    assert_eq!(serde_json::to_value(started()).expect("serializes"), stored);
    assert_eq!(
        serde_json::from_value::<Record>(stored).expect("parses"),
        started()
    );

    let closed = started()
        .begun("apps", "web")
        .closed(Outcome::Failed, "because", at(9));
    let stored = json!({
        "v": 1, "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00",
        "cluster": "apps", "service": "web", "state": "closed", "outcome": "failed",
        "reason": "because",
        "started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:00:09Z",
    });

    assert_eq!(serde_json::to_value(closed).expect("serializes"), stored);
}

/// A release of a service that ended so, after these releases of its execution.
fn ended(service: &str, outcome: Outcome, earlier: Vec<EarlierRelease>) -> Record {
    let change = Change {
        task_definition: format!("{service}:2"),
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 200,
        },
        desired_count: None,
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    };
    let closed = started().begun("apps", service);
    Record {
        change: (outcome == Outcome::Deployed).then_some(change),
        earlier,
        ..closed.closed(outcome, "because", at(9))
    }
}

fn earlier(service: &str, outcome: Outcome) -> EarlierRelease {
    EarlierRelease {
        cluster: "apps".to_owned(),
        service: service.to_owned(),
        outcome,
        task_definition: (outcome == Outcome::Deployed).then(|| format!("{service}:2")),
        ended_at: at(9),
    }
}

#[test]
fn a_release_that_ended_well_is_followed_by_that_of_another_service() {
    for outcome in [Outcome::Deployed, Outcome::Unchanged] {
        let dev = ended("dev", outcome, Vec::new());
        assert!(dev.may_precede("apps", "ci"), "{outcome}");

        let next = dev.followed(at(20));
        let expected = Record {
            earlier: vec![earlier("dev", outcome)],
            started_at: at(20),
            ..started()
        };
        assert_eq!(next, expected);
        assert_eq!(next.follows(), None, "it has not begun");
        let begun = next.begun("apps", "ci");
        assert_eq!(begun.follows(), Some(&earlier("dev", outcome)));
    }

    let ci = ended(
        "ci",
        Outcome::Deployed,
        vec![earlier("dev", Outcome::Deployed)],
    );
    let both = ["dev", "ci"].map(|service| earlier(service, Outcome::Deployed));
    assert_eq!(ci.followed(at(30)).earlier, both);
    assert_eq!(ci.follows(), None, "it is closed");
}

#[test]
fn no_release_follows_one_that_was_not_deployed() {
    for outcome in [
        Outcome::RolledBack,
        Outcome::Superseded,
        Outcome::Held,
        Outcome::Failed,
    ] {
        let dev = ended("dev", outcome, Vec::new());
        assert!(!dev.may_precede("apps", "ci"), "{outcome}");
    }
    assert!(!started().may_precede("apps", "ci"));
    assert!(!started().begun("apps", "dev").may_precede("apps", "ci"));
}

#[test]
fn no_service_is_released_twice_by_one_execution() {
    let ci = ended(
        "ci",
        Outcome::Deployed,
        vec![earlier("dev", Outcome::Deployed)],
    );
    let cluster = "arn:aws:ecs:eu-west-1:111122223333:cluster/apps";
    for (cluster, service, may) in [
        ("apps", "ci", false),
        ("apps", "dev", false),
        (cluster, "dev", false),
        ("apps", "uat", true),
        ("others", "dev", true),
    ] {
        assert_eq!(ci.may_precede(cluster, service), may, "{cluster} {service}");
    }
}

#[test]
fn an_execution_vouches_for_what_it_deployed_earlier() {
    let ci = ended(
        "ci",
        Outcome::RolledBack,
        vec![earlier("dev", Outcome::Deployed)],
    );
    assert!(ci.vouches_for("dev:2") && ci.deployed("dev:2"));
    assert!(!ci.vouches_for("ci:2") && !ci.deployed("ci:2"));

    let unchanged = ended(
        "ci",
        Outcome::Failed,
        vec![earlier("dev", Outcome::Unchanged)],
    );
    assert!(!unchanged.vouches_for("dev:2"));
}

#[test]
fn earlier_releases_are_stored_with_the_record() {
    let uat = ended(
        "uat",
        Outcome::Unchanged,
        vec![earlier("dev", Outcome::Deployed)],
    );
    let stored = serde_json::to_value(&uat).expect("serializes");
    let expected = json!([{
        "cluster": "apps", "service": "dev", "outcome": "deployed", "task_definition": "dev:2",
        "ended_at": "2026-01-05T09:00:09Z",
    }]);
    assert_eq!(stored["earlier"], expected);
    assert_eq!(
        serde_json::from_value::<Record>(stored).expect("parses"),
        uat
    );
}

#[test]
fn an_open_release_of_another_service_is_named() {
    let begun = started().begun("apps", "dev");
    assert!(begun.is_of("apps", "dev") && !begun.is_of("apps", "ci"));
    assert!(!started().is_of("apps", "dev"));
    assert_eq!(
        begun.open_elsewhere(),
        Failure::configuration(
            "execution e-1 has an open release of service dev in cluster apps; expected one \
             release at a time: run finish-release before the next begin-release"
        )
    );
}
