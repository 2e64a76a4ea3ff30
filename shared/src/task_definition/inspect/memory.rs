//! File systems in memory.

use serde_json::{Value, json};

use super::draft::Draft;
use super::fields::Fields;
use super::mount::trimmed;

const MIB: u64 = 1024 * 1024;

/// The options that ECS takes (ECS API: Tmpfs, `mountOptions`).
const OPTIONS: [&str; 39] = [
    "defaults",
    "ro",
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "remount",
    "mand",
    "nomand",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "bind",
    "rbind",
    "unbindable",
    "runbindable",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "relatime",
    "norelatime",
    "strictatime",
    "nostrictatime",
    "mode",
    "uid",
    "gid",
    "nr_inodes",
    "nr_blocks",
    "mpol",
];

pub(super) const NO_SIZE: &str = "ECS needs the size of memory; give `size`";

/// `HostConfig.Tmpfs`: options by path.
pub(super) fn options(host: &mut Fields, draft: &mut Draft) -> Result<(), String> {
    let place = host.at("Tmpfs");
    for (path, words) in host.options("Tmpfs")? {
        let field = format!("{place}.{path}");
        let path = trimmed(&path);
        let mut size = None;
        let mut kept = Vec::new();

        for word in words.split(',').filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            if name == "size" {
                size = bytes(value);
            } else if OPTIONS.contains(&name) {
                kept.push(word);
            } else {
                draft.leave(field.as_str(), name, "ECS does not take this option");
            }
        }
        match size {
            Some(size) => add(&field, path, size, &kept, draft),
            None => draft.leave(field, path, NO_SIZE),
        }
    }
    Ok(())
}

/// One of `HostConfig.Mounts` that is in memory.
pub(super) fn mount(fields: &mut Fields, target: &str, draft: &mut Draft) -> Result<(), String> {
    let field = fields.at("Target");
    let mut given = fields.object("TmpfsOptions")?;
    let size = given.count("SizeBytes")?;
    let mode = given.count("Mode")?;
    let is_read_only = fields.flag("ReadOnly")?;

    let mode = format!("mode={mode:o}");
    let mut kept = Vec::new();
    if is_read_only {
        kept.push("ro");
    }
    if mode != "mode=0" {
        kept.push(&mode);
    }
    if size > 0 {
        add(&field, target, size, &kept, draft);
    } else {
        draft.leave(field, target, NO_SIZE);
    }
    draft.leave_rest(&mut given);
    Ok(())
}

fn add(field: &str, path: &str, bytes: u64, options: &[&str], draft: &mut Draft) {
    let mut tmpfs = json!({"containerPath": path, "size": bytes.div_ceil(MIB)});
    if !options.is_empty() {
        tmpfs["mountOptions"] = json!(options);
    }

    let mut list = match draft.get("tmpfs") {
        Some(Value::Array(list)) => list.clone(),
        _ => Vec::new(),
    };
    list.push(tmpfs);
    draft.put("tmpfs", list, field, path);
}

/// A size such as `64m`, in bytes. A share of the host's memory is not a size.
fn bytes(text: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let factor = match unit {
        "" => 1,
        "k" => 1024,
        "m" => MIB,
        "g" => 1024 * MIB,
        _ => return None,
    };
    let number = number.parse::<u64>().ok()?;
    number.checked_mul(factor).filter(|bytes| *bytes > 0)
}
