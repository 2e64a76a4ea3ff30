//! Registers what is made of each file of `docker inspect`: those of the folders that
//! `SLIPWAY_CORPUS` names, or the project's own examples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use slipway::aws::{AwsError, ErrorKind, Sdk, TaskDefinitions};
use slipway::task_definition::{BaseFile, TaskDefinition, container_images, set_images};

use super::{Failed, refused, say};

const OWN: &str = "examples/docker-inspect";

/// How often a throttled registration is tried again.
const MOST_TRIES: u32 = 5;

pub(super) async fn inspected(sdk: &Sdk) -> Result<(), Failed> {
    let definitions = TaskDefinitions::new(sdk);
    let running = json!({"family": "inspect", "containerDefinitions": [
        {"name": "web", "image": "nginx:1", "memory": 128},
    ]});
    let running = TaskDefinition::from_value(running)?;

    for path in files()? {
        // What cannot be converted is not registered anywhere.
        let Ok(file) = BaseFile::parse(&std::fs::read(&path)?, &running) else {
            continue;
        };
        let answer = registered(&definitions, &with_images(&file.definition)?).await;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        say(
            &format!("registration of {name}"),
            &answer.map_or_else(|e| refused(&e), |arn| json!(arn)),
        );
    }
    Ok(())
}

/// Registers a definition, and tries again while that is throttled: there are more files than ECS
/// registers at once, and then it takes one a second.
async fn registered(
    definitions: &TaskDefinitions,
    definition: &TaskDefinition,
) -> Result<String, AwsError> {
    let mut answer = definitions.register(definition).await;
    for _ in 0..MOST_TRIES {
        match &answer {
            Err(error) if error.kind == ErrorKind::Busy => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                answer = definitions.register(definition).await;
            }
            _ => break,
        }
    }
    answer
}

/// The definition with an image in the place of each placeholder.
fn with_images(definition: &TaskDefinition) -> Result<TaskDefinition, Failed> {
    let images: BTreeMap<String, String> = container_images(definition)
        .into_iter()
        .filter(|(_, image)| image.starts_with('<'))
        .map(|(name, _)| (name, "nginx:2".to_owned()))
        .collect();
    Ok(set_images(definition, &images)?)
}

fn files() -> Result<Vec<PathBuf>, Failed> {
    let folders: Vec<PathBuf> = match std::env::var_os("SLIPWAY_CORPUS") {
        Some(corpus) => std::env::split_paths(&corpus)
            .map(|root| root.join("docker-inspect"))
            .filter(|folder| folder.is_dir())
            .collect(),
        None => vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(OWN)],
    };

    let mut files = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            files.push(entry?.path());
        }
    }
    files.sort();
    Ok(files)
}
