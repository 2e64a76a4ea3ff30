//! Responses of DynamoDB: leases and records.

use serde_json::{Value, json};
use slipway::aws::{AwsError, Ledger, Sdk};
use slipway::job::{ReleaseRef, StepError};
use slipway::observed::percentages::Percentages;
use slipway::release::{
    Conclusion, Event, Lease, LeaseProof, Outcome, Prior, PriorService, Push, Record, Release,
    apply,
};
use slipway::timestamp::Timestamp;

use super::{Failed, refused, say, stopped};

pub(super) fn release(now: Timestamp) -> Release {
    let digest = format!("sha256:{}", "0a".repeat(32));
    Release::begin("e-1", "slipway-web", Some(&digest), now)
}

pub(super) async fn leases(sdk: &Sdk) -> Result<(), Failed> {
    let ledger = Ledger::new(sdk);
    let now = Timestamp::from_secs(1_767_603_600)?;

    let first = first_lease(&ledger, now).await?;
    let second = second_lease(&ledger, &first, now).await?;
    for execution in ["e-1", "e-2"] {
        let release = ReleaseRef::new("slipway-web", execution, "apps", "web");
        say(
            &format!("what {execution} may do"),
            &held(ledger.prove_lease(&release).await),
        );
    }
    closed_lease(&ledger, &second, now).await;
    Ok(())
}

/// Takes a lease that never was.
async fn first_lease(ledger: &Ledger, now: Timestamp) -> Result<Lease, Failed> {
    say(
        "a lease that never was",
        &read(ledger.lease("apps", "web").await),
    );
    let free = Lease::unwritten("apps", "web");
    let first = apply(&free, Event::Taken(Box::new(release(now))), now)?;
    let record = Record::started("e-1", "slipway-web", None, now).begun("apps", "web");
    say(
        "a first lease with its record",
        &wrote(ledger.advance_with(&first, &record).await),
    );
    say(
        "the same again",
        &wrote(ledger.advance_with(&first, &record).await),
    );
    say(
        "the first lease alone, again",
        &wrote(ledger.advance(&first).await),
    );
    say("the lease", &read(ledger.lease("apps", "web").await));
    Ok(first)
}

/// Writes the next fence number, and again, when it is an old one.
async fn second_lease(ledger: &Ledger, first: &Lease, now: Timestamp) -> Result<Lease, Failed> {
    let prior = Prior::Service(PriorService {
        task_definition: "web:1".to_owned(),
        desired_count: 2,
        percentages: Percentages {
            minimum_healthy: 50,
            maximum: 150,
        },
        early_success: None,
        found: None,
        recorded_at: now,
    });
    let second = apply(first, Event::PriorRecorded(prior), now)?;
    say(
        "the next fence number",
        &wrote(ledger.advance(&second).await),
    );
    say("an old fence number", &wrote(ledger.advance(&second).await));

    let leases = ledger.leases().await;
    say(
        "all leases",
        &leases.map_or_else(|e| refused(&e), |all| json!([all.leases, all.started])),
    );
    Ok(second)
}

async fn closed_lease(ledger: &Ledger, lease: &Lease, now: Timestamp) {
    let conclusion = Conclusion::new(Outcome::Deployed, "all is well");
    say(
        "the lease given back",
        &wrote(ledger.close(lease, &conclusion, now).await),
    );
    say(
        "the lease given back again",
        &wrote(ledger.close(lease, &conclusion, now).await),
    );

    let release = ReleaseRef::new("slipway-web", "e-1", "apps", "web");
    say(
        "what e-1 may do when it is closed",
        &held(ledger.prove_lease(&release).await),
    );
    say("the free lease", &read(ledger.lease("apps", "web").await));
}

fn read(lease: Result<Option<Lease>, AwsError>) -> Value {
    lease.map_or_else(|e| refused(&e), |lease| json!(lease))
}

fn wrote(answer: Result<(), StepError>) -> Value {
    answer.map_or_else(|e| stopped(&e), |()| json!("written"))
}

/// Whether a write took place.
fn written(answer: Result<bool, AwsError>) -> Value {
    answer.map_or_else(|e| refused(&e), |written| json!(written))
}

fn held(proof: Result<LeaseProof, StepError>) -> Value {
    match proof {
        Ok(LeaseProof::Active(active)) => {
            json!({"fence": active.lease.fence, "prior": active.target.prior()})
        }
        Ok(LeaseProof::Closed(record)) => json!({"closed": record}),
        Err(error) => stopped(&error),
    }
}

pub(super) async fn records(sdk: &Sdk) -> Result<(), Failed> {
    let ledger = Ledger::new(sdk);
    let now = Timestamp::from_secs(1_767_603_600)?;

    one_record(&ledger, now).await;
    one_claim(&ledger, now).await;
    Ok(())
}

async fn one_record(ledger: &Ledger, now: Timestamp) {
    let started = Record::started("e-3", "slipway-web", Some("sha256:00"), now);
    say("a record", &written(ledger.put_record(&started).await));
    say(
        "the record again",
        &written(ledger.put_record(&started).await),
    );
    say(
        "the record, closed",
        &written(
            ledger
                .put_record(&started.clone().closed(Outcome::Failed, "unhealthy", now))
                .await,
        ),
    );
    say(
        "the closed record again",
        &written(ledger.put_record(&started).await),
    );

    let read = ledger.record("e-3").await;
    say(
        "the record as it is",
        &read.map_or_else(|e| refused(&e), |record| json!(record)),
    );
}

/// The claim of a pushed digest.
async fn one_claim(ledger: &Ledger, now: Timestamp) {
    let push = Push {
        v: 1,
        pipeline: "slipway-web".to_owned(),
        digest: "sha256:00".to_owned(),
        tag: Some("1.0.0".to_owned()),
        event: "event-1".to_owned(),
        pushed_at: None,
        claimed_at: now,
        execution: None,
        refusal: None,
        waiting: None,
        expires_at: None,
    };
    let started = Push {
        execution: Some("e-3".to_owned()),
        ..push.clone()
    };
    let other = Push {
        event: "event-2".to_owned(),
        ..push.clone()
    };

    say("a claim", &written(ledger.put_push(None, &push).await));
    say(
        "the claim again",
        &written(ledger.put_push(None, &push).await),
    );
    say(
        "the claim with its execution",
        &written(ledger.put_push(Some(&push), &started).await),
    );
    say(
        "a claim on what never was",
        &written(ledger.put_push(Some(&other), &other).await),
    );

    let read = ledger.push("slipway-web", "sha256:00").await;
    say(
        "the claim as it is",
        &read.map_or_else(|e| refused(&e), |push| json!(push)),
    );
}
