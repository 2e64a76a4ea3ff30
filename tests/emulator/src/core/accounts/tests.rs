use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::{Event, Quirk};

const SECOND: &str = "444455556666";

/// Notes in which account it runs, and when.
#[derive(Clone, Debug, Default)]
struct Note(Arc<Mutex<Vec<(String, Millis)>>>);

impl Event for Note {
    fn run(&self, aws: &mut Aws) {
        let noted = (aws.account.clone(), aws.now);
        self.0.lock().unwrap().push(noted);
    }
}

fn two_accounts() -> Aws {
    let mut aws = Aws::new(1);
    aws.add_account(SECOND);
    aws
}

#[test]
fn what_is_due_runs_in_its_account_in_order_of_time() {
    let mut aws = two_accounts();
    let (start, note) = (aws.now, Note::default());
    let at = Duration::from_secs;
    aws.in_account(SECOND, |aws| {
        aws.schedule(at(1), note.clone());
        aws.schedule(at(2), note.clone());
        aws.schedule(at(9), note.clone());
    });
    aws.schedule(at(2), note.clone());
    aws.schedule(at(3), note.clone());
    assert_eq!(aws.next_due(), Some(start + 1000));

    aws.now += 5000;
    aws.run_due();
    let ran = note.0.lock().unwrap().clone();
    let first = aws.account.clone();
    assert_eq!(
        ran,
        [
            (SECOND.to_owned(), start + 1000),
            (first.clone(), start + 2000),
            (SECOND.to_owned(), start + 2000),
            (first, start + 3000),
        ]
    );
    assert_eq!(
        (aws.now, aws.next_due()),
        (start + 5000, Some(start + 9000))
    );
    assert_eq!(aws.of_account(SECOND).unwrap().now, start + 5000);
}

#[test]
fn accounts_have_one_chance_and_one_log_of_calls() {
    let (mut alone, mut aws) = (Aws::new(1), two_accounts());
    let uuids = |aws: &mut Aws| [aws.uuid(), aws.uuid()];
    let [first, second] = uuids(&mut alone);
    assert_eq!(aws.in_account(SECOND, Aws::uuid), first);
    assert_eq!(aws.uuid(), second);

    let quirk = Quirk::WeightZeroIsUse;
    let holds = aws.in_account(SECOND, |aws| aws.draw_quirk(quirk));
    assert_eq!(aws.draw_quirk(quirk), holds);
    assert_eq!(aws.quirks.counts().iter().count(), 1);

    let request = crate::Request::default();
    aws.in_account(SECOND, |aws| aws.call(&request));
    aws.call(&request);
    assert_eq!(aws.calls.len(), 2);
}

#[test]
fn an_account_takes_the_place_of_the_other_and_leaves_it() {
    let mut aws = two_accounts();
    let first = aws.account.clone();
    aws.in_account(SECOND, |aws| {
        assert_eq!(
            aws.arn("ecs", "cluster/apps").split(':').nth(4),
            Some(SECOND)
        );
        assert!(aws.of_account(&first).is_some(), "the first is beside it");
        aws.in_account(&first, |aws| assert_eq!(aws.account, first));
        assert_eq!(aws.account, SECOND);
    });

    assert_eq!(aws.account, first);
    assert!(aws.of_account(&first).is_some() && aws.of_account(SECOND).is_some());
    assert!(aws.of_account("777788889999").is_none());
}

#[test]
fn route_53_is_one_for_all_regions_of_an_account() {
    let mut aws = Aws::new(1);
    let zone = crate::route53::create_zone(&mut aws, "example.com", None);
    aws.in_region("eu-central-1", |aws| {
        assert!(aws.route53.zone(&zone).is_some());
        crate::route53::create_zone(aws, "example.org", None);
    });
    assert_eq!(aws.route53.zones().count(), 2);

    let scope = "AWS4-HMAC-SHA256 Credential=A/20260105/us-east-1/route53/aws4_request, x";
    let request = crate::Request {
        caller: "operator".to_owned(),
        method: "GET".to_owned(),
        path_and_query: format!("/2013-04-01/hostedzone/{zone}"),
        headers: vec![("authorization".to_owned(), scope.to_owned())],
        ..crate::Request::default()
    };
    assert_eq!(aws.call(&request).status, 200);
    assert!(aws.of_place(&aws.account, "us-east-1").is_none());
}

#[test]
fn a_further_region_has_the_iam_of_its_account_and_nothing_else() {
    const FURTHER: &str = "eu-central-1";
    let create = |aws: &mut Aws, name: &str| {
        let cluster = serde_json::json!({"clusterName": name});
        crate::ecs::call(aws, "CreateCluster", &cluster).unwrap();
    };
    let policy = "arn:aws:iam::444455556666:policy/limit";

    let mut aws = two_accounts();
    aws.in_account(SECOND, |aws| create(aws, "first"));
    aws.in_account(SECOND, |aws| {
        aws.in_region(FURTHER, |aws| {
            create(aws, "further");
            let document = serde_json::json!({"Statement": []});
            aws.cloudformation
                .iam
                .put_managed_policy(policy.to_owned(), document);
            let place = aws.arn("ecs", "cluster/further");
            assert_eq!(
                place,
                "arn:aws:ecs:eu-central-1:444455556666:cluster/further"
            );
        });
        assert_eq!(aws.ecs.clusters.keys().collect::<Vec<_>>(), ["first"]);
        assert!(aws.cloudformation.iam.managed_policy(policy).is_some());
        let further = aws.of_place(SECOND, FURTHER).unwrap();
        assert_eq!(further.ecs.clusters.keys().collect::<Vec<_>>(), ["further"]);
        assert!(further.cloudformation.iam.managed_policy(policy).is_none());
    });

    assert_eq!(aws.of_account(SECOND).unwrap().region, "eu-west-1");
    assert!(aws.cloudformation.iam.managed_policy(policy).is_none());
}
