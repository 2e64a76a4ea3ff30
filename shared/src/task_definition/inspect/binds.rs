//! How Docker prints mounts: `Mounts` is what a container has; `HostConfig.Mounts`,
//! `HostConfig.Binds` and, before version 1.20 of the API, `Volumes` are what was requested.

use super::draft::Draft;
use super::fields::Fields;
use super::memory;
use super::mount::{Mount, trimmed};

/// All mounts, what the container has first. Memory is set in the draft.
pub(super) fn mounted(
    container: &mut Fields,
    host: &mut Fields,
    draft: &mut Draft,
) -> Result<Vec<Mount>, String> {
    memory::options(host, draft)?;
    let (mut requested, in_memory) = requested(host, draft)?;

    let mut all = Vec::new();
    for mut fields in container.objects("Mounts")? {
        let mount = has(&mut fields, draft)?;
        if mount.kind != "tmpfs" {
            all.push(mount);
        } else if !in_memory.contains(&mount.destination) {
            draft.leave(mount.field, mount.destination, memory::NO_SIZE);
        }
    }
    all.append(&mut requested);

    let field = host.at("Binds");
    for bind in host.texts("Binds")? {
        all.push(parse(&field, &bind)?);
    }
    all.extend(old(container)?);
    Ok(all)
}

/// One of `Mounts`.
fn has(fields: &mut Fields, draft: &mut Draft) -> Result<Mount, String> {
    let is_writable = !fields.has("RW") || fields.flag("RW")?;
    let name = fields.text("Name")?;
    let kind = match fields.text("Type")?.as_str() {
        "" if name.is_empty() => "bind".to_owned(),
        "" => "volume".to_owned(),
        kind => kind.to_owned(),
    };

    let mut options = options(&fields.text("Mode")?);
    let propagation = fields.text("Propagation")?;
    if !["", "private", "rprivate"].contains(&propagation.as_str())
        && !options.contains(&propagation)
    {
        options.push(propagation);
    }

    let mount = Mount {
        field: fields.at("Destination"),
        kind,
        source: fields.text("Source")?,
        name,
        destination: trimmed(&fields.text("Destination")?).to_owned(),
        driver: fields.text("Driver")?,
        read_only: !is_writable,
        options,
    };
    draft.leave_rest(fields);
    Ok(mount)
}

/// `HostConfig.Mounts`, and the paths of those that are in memory, which are in the draft.
fn requested(host: &mut Fields, draft: &mut Draft) -> Result<(Vec<Mount>, Vec<String>), String> {
    let (mut mounts, mut in_memory) = (Vec::new(), Vec::new());
    for mut fields in host.objects("Mounts")? {
        let kind = fields.text("Type")?;
        let target = trimmed(&fields.text("Target")?).to_owned();
        // It only concerns the files of macOS.
        fields.text("Consistency")?;

        if kind == "tmpfs" {
            memory::mount(&mut fields, &target, draft)?;
            in_memory.push(target);
        } else {
            let source = fields.text("Source")?;
            let mut volume = fields.object("VolumeOptions")?;
            let mut driver = volume.object("DriverConfig")?;
            let mut bind = fields.object("BindOptions")?;
            // `Mounts` has it too.
            bind.text("Propagation")?;

            mounts.push(Mount {
                field: fields.at("Target"),
                name: if kind == "volume" {
                    source.clone()
                } else {
                    String::new()
                },
                kind,
                source,
                destination: target,
                driver: driver.text("Name")?,
                read_only: fields.flag("ReadOnly")?,
                options: Vec::new(),
            });
            for rest in [&mut driver, &mut volume, &mut bind] {
                draft.leave_rest(rest);
            }
        }
        draft.leave_rest(&mut fields);
    }
    Ok((mounts, in_memory))
}

/// `Volumes` and `VolumesRW`: the sources and the rights by destination.
fn old(container: &mut Fields) -> Result<Vec<Mount>, String> {
    let field = container.at("Volumes");
    let sources = container.options("Volumes")?;
    let mut rights = container.object("VolumesRW")?;

    let mut mounts = Vec::new();
    for (destination, source) in sources {
        mounts.push(Mount {
            field: format!("{field}.{destination}"),
            kind: "bind".to_owned(),
            read_only: rights.has(&destination) && !rights.flag(&destination)?,
            source,
            destination: trimmed(&destination).to_owned(),
            ..Mount::default()
        });
    }
    Ok(mounts)
}

/// One of `Binds`: `source:destination:options`, or a destination alone. Paths of Windows have a
/// colon of their own.
fn parse(field: &str, bind: &str) -> Result<Mount, String> {
    let mut parts: Vec<String> = Vec::new();
    for part in bind.split(':') {
        let is_rest =
            part.starts_with(['\\', '/']) && parts.last().is_some_and(|last| is_drive(last));
        let drive = if is_rest { parts.pop() } else { None };
        parts.push(drive.map_or_else(|| part.to_owned(), |drive| format!("{drive}:{part}")));
    }

    let (source, destination, words) = match &parts[..] {
        [destination] => ("", destination.as_str(), ""),
        [source, destination] => (source.as_str(), destination.as_str(), ""),
        [source, destination, words] => (source.as_str(), destination.as_str(), words.as_str()),
        _ => {
            return Err(format!(
                "`{field}` has an entry of {} parts; expected source:destination:options",
                parts.len()
            ));
        }
    };

    let is_path = source.starts_with(['/', '\\', '.']) || source.get(1..2) == Some(":");
    Ok(Mount {
        field: format!("{field}.{destination}"),
        kind: if is_path { "bind" } else { "volume" }.to_owned(),
        source: source.to_owned(),
        name: if is_path {
            String::new()
        } else {
            source.to_owned()
        },
        destination: trimmed(destination).to_owned(),
        driver: String::new(),
        read_only: words.split(',').any(|word| word == "ro"),
        options: options(words),
    })
}

fn is_drive(text: &str) -> bool {
    text.len() == 1 && text.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The words of a mode that are more than the right to write.
fn options(mode: &str) -> Vec<String> {
    mode.split(',')
        .filter(|word| !["", "ro", "rw", "private", "rprivate"].contains(word))
        .map(ToOwned::to_owned)
        .collect()
}
