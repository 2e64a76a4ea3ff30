//! What a write changes of an item of the ledger, so that a file shows each field once and not at
//! each of twenty writes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The items as they were written last, by their key.
#[derive(Default)]
pub(crate) struct Items(BTreeMap<String, Value>);

impl Items {
    /// The parameters of a call with each whole item in place of which only what changed is left,
    /// once it is known.
    pub(crate) fn changes(&mut self, sent: Value, taken: bool) -> Value {
        match sent {
            Value::Array(items) => items
                .into_iter()
                .map(|item| self.changes(item, taken))
                .collect(),
            Value::Object(members) => {
                let mut left = Map::new();
                for (name, value) in members {
                    if name == "Item" && value.get("pk").is_some() {
                        let (name, value) = self.change(value, taken);
                        left.insert(name, value);
                    } else {
                        left.insert(name, self.changes(value, taken));
                    }
                }
                Value::Object(left)
            }
            scalar => scalar,
        }
    }

    fn change(&mut self, item: Value, taken: bool) -> (String, Value) {
        let key = json!([item["pk"], item["sk"]]).to_string();
        let shown = match self.0.get(&key) {
            None => ("Item".to_owned(), item.clone()),
            Some(old) => {
                let mut changes = Map::new();
                changes.insert("pk".to_owned(), item["pk"].clone());
                changes.insert("sk".to_owned(), item["sk"].clone());
                difference(&mut changes, "", old, &item);
                ("Item as before, but".to_owned(), Value::Object(changes))
            }
        };

        if taken {
            self.0.insert(key, item);
        }
        shown
    }
}

/// Puts each member that differs into `changes` by its path.
pub(crate) fn difference(changes: &mut Map<String, Value>, path: &str, old: &Value, new: &Value) {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        if old != new {
            changes.insert(path.to_owned(), new.clone());
        }
        return;
    };
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };

    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        changes.insert(below(name), json!("<removed>"));
    }
    for (name, value) in after {
        match before.get(name) {
            Some(old) => difference(changes, &below(name), old, value),
            None => {
                changes.insert(below(name), value.clone());
            }
        }
    }
}

#[test]
fn only_what_changes_of_an_item_is_left() {
    let mut items = Items::default();
    let item = |fence: i64, release: Value| {
        json!({
            "Item": {"pk": "lease", "sk": "a/b", "fence": fence, "release": release},
        })
    };
    let first = item(1, json!({"state": "open", "change": {"count": 2}}));

    assert_eq!(items.changes(first.clone(), true), first);

    let second = item(2, json!({"state": "open", "failure": "late"}));
    let shown = json!({
        "Item as before, but": {
            "pk": "lease",
            "sk": "a/b",
            "fence": 2,
            "release.change": "<removed>",
            "release.failure": "late",
        },
    });
    assert_eq!(items.changes(second.clone(), false), shown);
    assert_eq!(
        items.changes(second, true),
        shown,
        "what was refused was not written"
    );
}
