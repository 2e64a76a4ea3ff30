//! Members that are null: to AWS they are not there, and its responses have none.

use serde_json::{Map, Value};

/// Removes the members that are null, at any depth.
pub(crate) fn remove_nulls(members: &mut Map<String, Value>) {
    members.retain(|_, value| !value.is_null());
    members.values_mut().for_each(remove_from);
}

fn remove_from(value: &mut Value) {
    match value {
        Value::Object(members) => remove_nulls(members),
        Value::Array(items) => items.iter_mut().for_each(remove_from),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nulls_are_no_members_at_any_depth_and_items_of_lists_stay() {
        let mut value = json!({
            "a": null, "b": {"c": null, "d": 0}, "e": [{"f": null}, null, [{"g": null, "h": ""}]],
        });
        remove_nulls(value.as_object_mut().expect("an object"));
        assert_eq!(value, json!({"b": {"d": 0}, "e": [{}, null, [{"h": ""}]]}));
    }
}
