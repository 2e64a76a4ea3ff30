//! The releases of one execution: each is of a service of its own, and begins only when the one
//! before ended well.

use serde_json::Value;

use crate::ledger_reader::{earlier_releases, text};

/// A closed record is written again only by the execution's next release.
pub(super) fn check(execution: &str, was: Option<&Value>, record: &Value) -> Result<(), String> {
    let is_replaced = |was: &Value| {
        text(was, "state") == Some("closed") && was != record && !follows(was, record)
    };
    if was.is_some_and(is_replaced) {
        return Err(format!(
            "invariant 2: the closed record of {execution} was written again"
        ));
    }
    Ok(())
}

/// Whether a record is that of the next release of an execution, of another service, after one that
/// ended well: the record keeps how each of them ended.
pub(crate) fn follows(was: &Value, record: &Value) -> bool {
    let ended_well = matches!(text(was, "outcome"), Some("deployed" | "unchanged"));
    let service =
        |item: &Value| ["cluster", "service"].map(|name| text(item, name).map(str::to_owned));
    let mut earlier = earlier_releases(record);

    let keeps_it = earlier.next_back().is_some_and(|last| {
        service(last) == service(was) && text(last, "outcome") == text(was, "outcome")
    });
    let repeats = earlier.any(|it| service(it) == service(record));

    text(record, "state") == Some("begun")
        && ended_well
        && keeps_it
        && !repeats
        && service(was) != service(record)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(service: &str, state: &str, outcome: Option<&str>, earlier: &[&str]) -> Value {
        let of = |service: &str| json!({"cluster": {"S": "apps"}, "service": {"S": service}});
        let earlier = earlier.iter().map(|service| {
            let mut release = of(service);
            release["outcome"] = json!({"S": "deployed"});
            json!({ "M": release })
        });
        let mut record = of(service);
        record["state"] = json!({ "S": state });
        record["earlier"] = json!({"L": earlier.collect::<Vec<_>>()});
        if let Some(outcome) = outcome {
            record["outcome"] = json!({ "S": outcome });
        }
        record
    }

    #[test]
    fn a_record_is_replaced_by_that_of_the_next_service_only() {
        let dev = |outcome| record("dev", "closed", Some(outcome), &[]);
        let begun = |service, earlier: &[&str]| record(service, "begun", None, earlier);

        assert!(follows(&dev("deployed"), &begun("ci", &["dev"])));
        assert!(!follows(&dev("rolled-back"), &begun("ci", &["dev"])));
        assert!(!follows(&dev("deployed"), &begun("ci", &[])));
        assert!(!follows(&dev("deployed"), &begun("ci", &["uat"])));
        assert!(!follows(&dev("deployed"), &begun("dev", &["dev"])));
        let closed = record("ci", "closed", Some("deployed"), &["dev"]);
        assert!(!follows(&dev("deployed"), &closed));
        assert!(!follows(&closed, &begun("dev", &["dev", "ci"])));
        assert!(follows(&closed, &begun("uat", &["dev", "ci"])));
    }
}
