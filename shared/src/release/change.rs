//! The change of a service that a release announces before it makes it.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Promise;
use crate::observed::percentages::Percentages;

/// The end state that a release wants for its service.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub task_definition: String,
    pub percentages: Percentages,
    /// What the percentages keep; none for a pair, and in leases that were written before it was
    /// recorded.
    pub promise: Option<Promise>,
    /// Given only when the release sets it.
    pub desired_count: Option<u32>,
    /// The deployment that ECS made of it, once known.
    pub deployment: Option<String>,
    /// The percentages of the release that the service had when others were announced.
    pub set_before: Option<Percentages>,
    /// Tasks that a pair's new colour got after its fill, enough for all of a load that had grown.
    pub given: Option<u32>,
}

impl Change {
    /// Percentages that a rollback is about to set are those of the release from then on, as are
    /// those before them until the new ones show.
    pub(super) fn announce_percentages(&mut self, percentages: Percentages) {
        if self.percentages != percentages {
            self.set_before = Some(self.percentages);
            self.percentages = percentages;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::release::PromisedBound;

    fn percentages(minimum_healthy: u32) -> Percentages {
        Percentages {
            minimum_healthy,
            maximum: 100,
        }
    }

    fn change() -> Change {
        Change {
            task_definition: "web:2".to_owned(),
            percentages: percentages(75),
            promise: Some(Promise {
                minimum: PromisedBound::OneTask,
                maximum: PromisedBound::Percent(100),
            }),
            desired_count: None,
            deployment: None,
            set_before: None,
            given: None,
        }
    }

    #[test]
    fn percentages_of_a_rollback_become_those_of_the_release_beside_the_ones_before() {
        let mut announced = change();
        announced.announce_percentages(percentages(75));
        assert_eq!(announced, change());

        announced.announce_percentages(percentages(95));
        let expected = Change {
            percentages: percentages(95),
            set_before: Some(percentages(75)),
            ..change()
        };
        assert_eq!(announced, expected);
    }

    #[test]
    fn a_promise_is_stored_with_its_change_and_may_be_absent() {
        let mut stored = json!({
            "task_definition": "web:2",
            "percentages": {"minimum_healthy": 75, "maximum": 100},
            "promise": {"minimum": "one-task", "maximum": {"percent": 100}},
        });
        assert_eq!(serde_json::to_value(change()).expect("JSON"), stored);
        assert_eq!(
            serde_json::from_value::<Change>(stored.clone()).expect("a change"),
            change()
        );

        stored.as_object_mut().expect("an object").remove("promise");
        let without: Change = serde_json::from_value(stored).expect("a change");
        assert_eq!(without.promise, None);
    }
}
