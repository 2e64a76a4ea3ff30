//! Nothing that a condition lets through is more than releases need: each key keeps a call out, and
//! each value lets one in.

use std::collections::{BTreeMap, BTreeSet};

use super::least::granted;

/// The condition key of the partitions of the ledger.
const PARTITIONS: &str = "dynamodb:LeadingKeys";

/// Conditions of statements: the Sid, the key, and its value in a call that the condition alone
/// keeps out; none is a call without the key.
const CONDITIONS: [(&str, &str, Option<&str>); 15] = [
    ("Ledger", PARTITIONS, Some("settings")),
    ("Leases", PARTITIONS, Some("execution#1")),
    ("ReadLedger", PARTITIONS, Some("lease")),
    ("WriteLedger", PARTITIONS, Some("settings")),
    ("AssumeDeployRoles", "iam:ResourceTag/slipway:service", None),
    (
        "FunctionsOfSlipway",
        "aws:PrincipalArn",
        Some("arn:aws:iam::111122223333:role/slipway/other/step"),
    ),
    (
        "FunctionsOfSlipway",
        "sts:ExternalId",
        Some("arn:aws:codepipeline:eu-west-1:111122223333:other"),
    ),
    ("TagRegisteredRevision", "ecs:CreateAction", None),
    (
        "PassRolesToTasks",
        "iam:PassedToService",
        Some("ec2.amazonaws.com"),
    ),
    (
        "RunOneOffTask",
        "ecs:cluster",
        Some("arn:aws:ecs:eu-west-1:111122223333:cluster/other"),
    ),
    (
        "SuspendScaleIn",
        "application-autoscaling:service-namespace",
        Some("rds"),
    ),
    (
        "SuspendScaleIn",
        "application-autoscaling:scalable-dimension",
        Some("rds:cluster:ReadReplicaCount"),
    ),
    (
        "ShiftRecords",
        "route53:ChangeResourceRecordSetsNormalizedRecordNames",
        Some("www.example.com"),
    ),
    (
        "ShiftRecords",
        "route53:ChangeResourceRecordSetsRecordTypes",
        Some("AAAA"),
    ),
    (
        "ShiftRecords",
        "route53:ChangeResourceRecordSetsActions",
        Some("DELETE"),
    ),
];

#[test]
fn each_condition_keeps_a_call_out() {
    for granted in granted() {
        let (who, sids) = (&granted.who, granted.sids());
        let listed: Vec<_> = CONDITIONS
            .iter()
            .filter(|(sid, ..)| sids.contains(*sid))
            .collect();
        let keys: BTreeSet<(String, String)> = listed
            .iter()
            .map(|(sid, key, _)| ((*sid).to_owned(), (*key).to_owned()))
            .collect();
        assert_eq!(granted.conditions(), keys, "{who}");

        for (sid, key, value) in listed {
            assert!(
                granted.is_kept_out(sid, key, *value),
                "{who}: {key} of {sid} keeps no call out"
            );
        }
    }
}

/// Of the roles together: which steps read a record depends on what happens. The emulator's tests
/// check that each step has the same partitions.
#[test]
fn each_partition_of_the_ledger_that_a_statement_names_is_needed_by_a_call() {
    let mut all = BTreeMap::new();
    for granted in granted() {
        for (value, is_needed) in granted.values(PARTITIONS) {
            let known = all.entry(value).or_insert(false);
            *known = *known || is_needed;
        }
    }

    let expected = [
        ("Leases", "lease"),
        ("Ledger", "execution#*"),
        ("Ledger", "lease"),
        ("Ledger", "push#*"),
        ("ReadLedger", "execution#*"),
        ("ReadLedger", "push#*"),
        ("WriteLedger", "execution#*"),
        ("WriteLedger", "lease"),
        ("WriteLedger", "push#*"),
    ];
    let expected = expected.map(|(sid, value)| ((sid.to_owned(), value.to_owned()), true));
    assert_eq!(all, BTreeMap::from(expected));
}

/// The values for the ledger are compared above, of the roles together.
#[test]
fn each_value_of_another_condition_is_needed_by_a_call() {
    let (mut seen, mut wrong) = (BTreeSet::new(), Vec::new());
    for granted in granted() {
        let conditions = granted.conditions().into_iter();
        let keys: BTreeSet<String> = conditions.map(|(_, key)| key).collect();
        for key in keys.iter().filter(|key| *key != PARTITIONS) {
            for ((sid, value), is_needed) in granted.values(key) {
                if !is_needed {
                    let who = &granted.who;
                    wrong.push(format!("{who}: no call needs {value} of {key} of {sid}"));
                }
                seen.insert((sid, key.clone()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let others = CONDITIONS.iter().filter(|(_, key, _)| *key != PARTITIONS);
    let others = others.map(|(sid, key, _)| ((*sid).to_owned(), (*key).to_owned()));
    assert_eq!(seen, others.collect::<BTreeSet<_>>());
}
