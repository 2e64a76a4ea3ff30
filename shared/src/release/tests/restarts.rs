//! What is released again after a release: noted as that ends, and ended by a newer one.

use super::*;

fn restart() -> Box<Restart> {
    Box::new(Restart {
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        action: "Image".to_owned(),
        digest: "sha256:00".to_owned(),
        role: DeployRole {
            arn: "arn:aws:iam::111122223333:role/deploy".to_owned(),
            external_id: "arn:aws:codepipeline:eu-west-1:111122223333:slipway-web".to_owned(),
            region: None,
        },
        brings_back: false,
        at: after(60),
        refused_since: None,
    })
}

fn postponed() -> Lease {
    let conclusion = Conclusion {
        restart: Some(restart()),
        ..Conclusion::new(Outcome::Failed, "frozen")
    };
    close(&open_service(), &conclusion, after(9))
        .expect("it is open")
        .0
}

#[test]
fn a_lease_keeps_what_is_released_again_until_it_is_started_or_another_release_takes_it() {
    let kept = postponed();
    assert_eq!(kept.restart, Some(restart()));
    let repaired = apply(&kept, Event::RepairAnnounced, after(20)).expect("it is free");
    assert_eq!(repaired.restart, Some(restart()));

    let started = apply(&kept, Event::RestartNoted(None), after(70)).expect("it is free");
    assert_eq!((started.restart, started.fence), (None, kept.fence + 1));
    let taken = Event::Taken(Box::new(release()));
    let taken = apply(&kept, taken, after(70)).expect("it is free");
    assert_eq!(taken.restart, None);

    let refused = restart().refused(after(70)).map(Box::new);
    let noted = Event::RestartNoted(refused.clone());
    let noted = apply(&kept, noted, after(70)).expect("it is free");
    assert_eq!(noted.restart, refused);
    assert_eq!(noted.changed_at, kept.changed_at, "no change is announced");
}

#[test]
fn what_is_released_again_stays_planned_while_an_older_release_comes_back() {
    let taken_for = |digest: &str| {
        let coming_back = Release {
            digest: Some(digest.to_owned()),
            brings_back: true,
            ..release()
        };
        let taken = Event::Taken(Box::new(coming_back));
        apply(&postponed(), taken, after(20)).expect("it is free")
    };
    assert_eq!(taken_for("sha256:00").restart, None, "it is started");

    let older = taken_for("sha256:0a");
    assert_eq!(older.restart, Some(restart()));
    let stored = serde_json::to_value(&older).expect("serializes");
    assert_eq!(stored["release"]["brings_back"], true);
    let read: Lease = serde_json::from_value(stored).expect("parses");
    assert_eq!(read, older);

    let ended = |planned: Option<Box<Restart>>| {
        let conclusion = Conclusion {
            restart: planned,
            ..Conclusion::new(Outcome::Failed, "stopped")
        };
        let (free, _) = close(&older, &conclusion, after(30)).expect("it is open");
        free.restart
    };
    assert_eq!(ended(None), Some(restart()));
    let own = restart().refused(after(30)).map(Box::new);
    assert_eq!(ended(own.clone()), own, "its own comes first");
}

#[test]
fn what_is_released_again_is_stored_with_the_lease() {
    let stored = serde_json::to_value(postponed()).expect("serializes");
    assert_eq!(stored["restart"]["at"], "2026-01-05T09:01:00Z");
    let read: Lease = serde_json::from_value(stored).expect("parses");
    assert_eq!(read, postponed());

    let stored = serde_json::to_value(free()).expect("serializes");
    assert_eq!(stored.get("restart"), None);
}
