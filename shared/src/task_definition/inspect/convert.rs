//! From a file of `docker inspect` to container definitions.

use serde_json::Value;

use super::super::definition::TaskDefinition;
use super::draft::Draft;
use super::fields::Fields;
use super::item::{ContainerSystem, InspectedItem, items};
use super::left_out::LeftOut;
use super::peers::Peers;
use super::place::{Place, is_windows};
use super::volumes::Volumes;
use super::{health, kernel, logs, merge, mounts, network, own, ports, process, resources};
use crate::limits::TASK_CONTAINERS;

/// Makes a task definition of what `docker inspect` prints of containers and images. What it does
/// not have is as in the running definition. An image from which a container of the file was made
/// is not a container of its own.
///
/// # Errors
/// If a value has another type than in Docker, or ECS could not run a container of it.
pub(crate) fn from_inspect(
    value: Value,
    running: &TaskDefinition,
) -> Result<(TaskDefinition, Vec<LeftOut>), String> {
    let all = items(value)?;
    let mut wanted: Vec<&InspectedItem> = all
        .iter()
        .filter(|item| !item.is_infra && !all.iter().any(|other| item.is_image_of(other)))
        .collect();
    wanted.sort_by(|a, b| a.peer.name.cmp(&b.peer.name));

    check(&wanted)?;
    check_system(&wanted, running.operating_system())?;

    let peers = Peers(wanted.iter().map(|item| item.peer.clone()).collect());
    let place = Place::from_definition(running);
    let mut volumes = Volumes::default();
    let mut drafts = Vec::new();
    for item in wanted {
        let image = all.iter().find(|image| image.is_image_of(item));
        drafts.push(draft(item, image, &place, (&peers, &mut volumes))?);
    }

    let (definition, mut left_out) = merge::merge(running, drafts, volumes)?;
    let infra = all.iter().filter(|item| item.is_infra);
    left_out.extend(infra.map(|item| {
        LeftOut {
            field: item.peer.name.clone(),
            value: "a container".to_owned(),
            reason:
                "it holds network and ports of a pod or a task; the running definition has those \
                 of the task"
                    .to_owned(),
        }
    }));
    Ok((definition, left_out))
}

/// # Errors
/// If two of the containers, which are in the order of their names, have one name, or a task
/// definition cannot have as many.
fn check(wanted: &[&InspectedItem]) -> Result<(), String> {
    let twice = wanted
        .windows(2)
        .find(|pair| pair[0].peer.name == pair[1].peer.name);
    if let Some(pair) = twice {
        return Err(format!(
            "two containers have the name `{}`; expected a name for each",
            pair[0].peer.name
        ));
    }
    let count = wanted.len();
    if count > TASK_CONTAINERS {
        return Err(format!(
            "the file has {count} containers; expected at most {TASK_CONTAINERS}, which a task \
             definition can have"
        ));
    }
    Ok(())
}

/// # Errors
/// If one of the containers is for another operating system than the tasks run on.
fn check_system(wanted: &[&InspectedItem], system: Option<&str>) -> Result<(), String> {
    let Some(system) = system else {
        return Ok(());
    };

    let (expected, other) = if is_windows(system) {
        ("Windows", ContainerSystem::Linux)
    } else {
        ("Linux", ContainerSystem::Windows)
    };
    match wanted.iter().find(|item| item.system == Some(other)) {
        None => Ok(()),
        Some(item) => Err(format!(
            "`{}` is a container for {other:?}, and the running definition has the operating \
             system {system}; expected a container for {expected}",
            item.peer.name
        )),
    }
}

/// The definition of one container, or of a container of an image.
fn draft(
    item: &InspectedItem,
    image: Option<&InspectedItem>,
    place: &Place,
    (peers, volumes): (&Peers, &mut Volumes),
) -> Result<Draft, String> {
    let name = item.peer.name.clone();
    let mut place = place.clone();
    place.is_windows |= item.system == Some(ContainerSystem::Windows);
    let mut draft = Draft::new(name.clone(), item.image(), place);

    let mut container = Fields::new(name, Value::Object(item.members.clone()))?;
    let mut host = container.object("HostConfig")?;
    let config = match image {
        _ if item.is_image => own::of_image(item.config()),
        Some(image) => own::without_image(item.config(), &image.config()),
        None => item.config(),
    };
    let mut config = Fields::new(container.at("Config"), config)?;

    process::convert(&mut config, &mut draft, item)?;
    process::restarts(&mut host, &mut draft)?;
    health::convert(&mut config, &mut draft)?;
    ports::convert(&mut config, &mut host, &mut draft)?;
    let both = (&mut config, &mut host);
    mounts::convert(&mut container, both, (peers, volumes), &mut draft)?;
    resources::convert(&mut host, &mut draft)?;
    kernel::convert(&mut host, &mut draft)?;
    logs::convert(&mut host, &mut draft)?;
    let both = (&mut config, &mut host);
    network::convert(&mut container, both, peers, &mut draft)?;

    // The image is the item's, and the other members beside these two are its state.
    config.take("Image");
    draft.leave_rest(&mut config);
    draft.leave_rest(&mut host);
    Ok(draft)
}
