//! What a pre-flight and a dry run make of the same checks.

use super::*;

const CONTROLLER: CheckPath<'static> = ("service web", "controller");
const REFUSAL: &str = "the deployment controller is CODE_DEPLOY; expected ECS";

fn refused() -> Result<(), Failure> {
    Err(Failure::configuration(REFUSAL))
}

fn wrong() -> Checks {
    let mut checks = Checks::dry_run("apps/web");
    checks.ok(("release", "parameters"), "valid");
    checks
        .take(CONTROLLER, refused(), |()| String::new())
        .expect("a dry run goes on");
    checks.skip(("release", "role"), "ambient credentials");
    checks.skip(("rule", "owner"), "no rule");
    checks
}

#[test]
fn a_preflight_ends_at_the_first_refusal_and_a_dry_run_goes_on() {
    let mut checks = Checks::preflight();
    let taken = checks.take(CONTROLLER, refused(), |()| String::new());
    let refusal = StepError::Failed(Failure::configuration(REFUSAL));
    assert_eq!(taken, Err(refusal));

    let mut checks = Checks::dry_run("apps/web");
    let refusals = [
        StepError::Failed(Failure::configuration(REFUSAL)),
        StepError::Refused(Failure::configuration(REFUSAL)),
    ];
    for refusal in refusals {
        let taken = checks.take(CONTROLLER, Err::<(), _>(refusal), |()| String::new());
        assert_eq!(taken, Ok(None));
    }
    let found = checks.take(CONTROLLER, Ok::<_, Failure>(7), ToString::to_string);
    assert_eq!(found, Ok(Some(7)));
}

/// The group of a tree with a check that lists these changes.
fn listed(changes: &[&str], more: usize) -> (Value, String) {
    let mut checks = Checks::dry_run("apps/web");
    checks.ok_with(("new revision", "difference"), "3 differ", (changes, more));
    let leaf = checks.tree()["checks"][0]["checks"][0].clone();
    (leaf, checks.text())
}

#[test]
fn what_a_check_lists_stands_below_it_with_the_number_of_others() {
    let start = "OK   apps/web\n  OK   new revision\n    OK   difference: 3 differ";
    let none = leaf("difference", "OK", "3 differ");
    assert_eq!(listed(&[], 0), (none.clone(), start.to_owned()));

    let mut all = none;
    all["changes"] = json!(["added a: 1", "removed b: 2"]);
    let text = format!("{start}\n      added a: 1\n      removed b: 2");
    let changes = ["added a: 1", "removed b: 2"];
    assert_eq!(listed(&changes, 0), (all.clone(), text.clone()));

    all["more"] = json!(1);
    let text = format!("{text}\n      and 1 more");
    assert_eq!(listed(&changes, 1), (all, text));
}

#[test]
fn what_proves_nothing_ends_a_dry_run_too() {
    for error in [
        StepError::Busy("throttled; retrying".to_owned()),
        StepError::Unexpected(Failure::job("no ARN")),
    ] {
        let mut checks = Checks::dry_run("apps/web");
        let taken = checks.take(CONTROLLER, Err::<(), _>(error.clone()), |()| String::new());
        assert_eq!((taken, checks.failure()), (Err(error), None));
    }
}

#[test]
fn a_failure_names_what_is_wrong_first() {
    let failure = wrong().failure().expect("a refusal");
    assert_eq!(
        failure,
        Failure::configuration(format!(
            "1 of 4 checks of the dry run are NG: controller: controller (service web): \
             {REFUSAL}"
        ))
    );
}

#[test]
fn what_was_skipped_refuses_nothing_and_is_named() {
    let mut checks = Checks::dry_run("apps/web");
    checks.ok(("release", "parameters"), "valid");
    let summary = |checks: &Checks| {
        assert_eq!(checks.failure(), None);
        checks.summary()
    };
    assert_eq!(
        summary(&checks),
        "dry run: a release could begin: 1 checks are OK, 0 SKIP; nothing was changed"
    );

    checks.skip(("release", "role"), "ambient credentials");
    assert_eq!(
        summary(&checks),
        "dry run: a release could begin: 1 checks are OK, 1 SKIP (role); nothing was changed"
    );
}

fn leaf(name: &str, state: &str, reason: &str) -> Value {
    json!({"name": name, "state": state, "reason": reason})
}

#[test]
fn the_tree_has_each_group_once_and_the_worst_state_above() {
    assert_eq!(
        wrong().tree(),
        json!({"name": "apps/web", "state": "NG", "checks": [
            {"name": "release", "state": "OK", "checks": [
                leaf("parameters", "OK", "valid"),
                leaf("role", "SKIP", "ambient credentials"),
            ]},
            {"name": "service web", "state": "NG", "checks": [
                leaf("controller", "NG", REFUSAL),
            ]},
            {"name": "rule", "state": "SKIP", "checks": [leaf("owner", "SKIP", "no rule")]},
        ]})
    );

    let expected = format!(
        "NG   apps/web\n  OK   release\n    OK   parameters: valid\n    SKIP role: ambient \
         credentials\n  NG   service web\n    NG   controller: {REFUSAL}\n  SKIP rule\n    \
         SKIP owner: no rule"
    );
    assert_eq!(wrong().text(), expected);
}
