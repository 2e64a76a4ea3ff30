//! What a container has from its image, which is not repeated if the file has the image too: the
//! next image may have it otherwise.
//!
//! Never removes the ports, volumes and health check of an image: ECS takes them from the task
//! definition alone.

use serde_json::Value;

use super::left_out::is_unset;

/// Members that Docker takes from the image if the container has none of its own
/// (github.com/moby/moby, daemon/commit.go).
const FROM_IMAGE: [&str; 6] = [
    "ArgsEscaped",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "WorkingDir",
];

/// Members of an image that its last build has left and no container takes over.
const TRACES: [&str; 13] = [
    "ArgsEscaped",
    "AttachStderr",
    "AttachStdin",
    "AttachStdout",
    "Domainname",
    "Hostname",
    "Image",
    "MacAddress",
    "NetworkDisabled",
    "OpenStdin",
    "StdinOnce",
    "StopSignal",
    "Tty",
];

/// The configuration of a container without what it has from its image.
pub(super) fn without_image(mut config: Value, image: &Value) -> Value {
    let Some(members) = config.as_object_mut() else {
        return config;
    };

    for member in FROM_IMAGE {
        if is_same(members.get(member), image.get(member)) {
            members.shift_remove(member);
        }
    }

    // A container with an entry point of its own does not have the command of the image.
    if is_same(members.get("Entrypoint"), image.get("Entrypoint")) {
        members.shift_remove("Entrypoint");
        if is_same(members.get("Cmd"), image.get("Cmd")) {
            members.shift_remove("Cmd");
        }
    } else if members.get("Entrypoint").is_none_or(is_unset) {
        // Docker prints null for an entry point that was cleared, too.
        members.insert("Entrypoint".to_owned(), Value::Array(Vec::new()));
    }

    if let (Some(Value::Array(own)), Some(Value::Array(of_image))) =
        (members.get_mut("Env"), image.get("Env"))
    {
        own.retain(|variable| !of_image.contains(variable));
    }
    if let (Some(Value::Object(own)), Some(Value::Object(of_image))) =
        (members.get_mut("Labels"), image.get("Labels"))
    {
        own.retain(|name, value| of_image.get(name) != Some(&*value));
    }
    config
}

/// The configuration of an image without the traces of its build.
pub(super) fn of_image(mut config: Value) -> Value {
    if let Some(members) = config.as_object_mut() {
        members.retain(|name, _| !TRACES.contains(&name.as_str()));
    }
    config
}

fn is_same(own: Option<&Value>, of_image: Option<&Value>) -> bool {
    let set = |value: Option<&Value>| value.filter(|value| !is_unset(value)).cloned();
    set(own) == set(of_image)
}
