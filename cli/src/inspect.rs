//! `slipway inspect`: the task definition that `docker inspect` becomes, without a call of AWS.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use slipway::task_definition::{BaseFile, LeftOut, TaskDefinition};

use crate::{Answer, Block, Failed};

/// Shows the task definition that a release would make of what `docker inspect` prints.
///
/// What has no counterpart is a warning each. Nothing is called: the definition that runs is a
/// file.
#[derive(Debug, Args)]
pub struct Inspect {
    /// What `docker inspect` prints of containers or images; standard input without it.
    pub file: Option<PathBuf>,
    /// The definition that runs, as `aws ecs describe-task-definition` prints it.
    #[arg(long, value_name = "FILE")]
    pub running: PathBuf,
}

impl Inspect {
    /// # Errors
    /// If a file cannot be read, or ECS could not run what it has.
    pub fn run(&self) -> Result<Answer, Failed> {
        let running = definition(&self.running)?;
        let text = match &self.file {
            Some(file) => read(file)?,
            None => standard_input()?,
        };
        let file = BaseFile::parse(&text, &running).map_err(Failed::Refused)?;
        answer(&file)
    }
}

fn answer(file: &BaseFile) -> Result<Answer, Failed> {
    let definition: Value = serde_json::from_str(&file.definition.text())
        .map_err(|error| Failed::Unknown(error.to_string()))?;
    let left_out =
        |it: &LeftOut| json!({"field": it.field, "value": it.value, "reason": it.reason});
    let json = json!({
        "definition": definition,
        "left_out": file.left_out.iter().map(left_out).collect::<Vec<_>>(),
    });
    let answer = Answer::new(vec![Block::Text(format!("{definition:#}\n"))], json);
    Ok(answer.warning(file.left_out.iter().map(ToString::to_string)))
}

/// The definition of a file, alone or in a response of ECS.
fn definition(path: &Path) -> Result<TaskDefinition, Failed> {
    let refused = |why: String| Failed::Refused(format!("{}: {why}", path.display()));
    described(&read(path)?).map_err(refused)
}

/// As a release takes it: without the mark of another one.
fn described(text: &[u8]) -> Result<TaskDefinition, String> {
    Ok(TaskDefinition::parse(text)?.unmarked())
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    std::fs::read(path)
        .map_err(|error| Failed::Unknown(format!("failed to read {}: {error}", path.display())))
}

fn standard_input() -> Result<Vec<u8>, Failed> {
    let mut text = Vec::new();
    std::io::stdin()
        .read_to_end(&mut text)
        .map_err(|error| Failed::Unknown(format!("failed to read standard input: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Look;

    #[test]
    fn what_runs_is_read_as_powershell_writes_it_and_without_the_mark_of_a_release() {
        let definition = json!({"family": "web", "containerDefinitions": [
            {"name": "web", "image": "web:1.3.0"},
        ]});
        let tags = ["team", "slipway:execution", "slipway:sent"];
        let tags = tags.map(|key| json!({"key": key, "value": "web"}));
        let response = json!({"taskDefinition": definition, "tags": tags}).to_string();
        let units = response.encode_utf16().flat_map(u16::to_le_bytes);
        let text: Vec<u8> = [0xff, 0xfe].into_iter().chain(units).collect();

        let mut expected = definition;
        expected["tags"] = json!([tags[0]]);
        let expected = TaskDefinition::from_value(expected).expect("a definition");
        assert_eq!(described(&text), Ok(expected));
        let twice = described(br#"{"family": "web", "family": "api"}"#).expect_err("refused");
        assert!(twice.contains("occurs twice"), "{twice}");
    }

    #[test]
    fn containers_of_docker_take_the_place_of_those_that_run() {
        let running = json!({"family": "web", "cpu": "256", "containerDefinitions": [
            {"name": "web", "image": "web:1.3.0", "memory": 128},
        ]});
        let running = TaskDefinition::from_value(running).expect("a definition");
        let docker = json!([{
            "Name": "/web", "Path": "./run", "Args": [],
            "Config": {"Image": "web:1.4.0", "Env": ["COLOUR=teal"]},
            "HostConfig": {"GroupAdd": ["audio"]},
        }]);
        let file = BaseFile::parse(docker.to_string().as_bytes(), &running).expect("converted");

        let answer = answer(&file).expect("an answer");
        let containers = &answer.json["definition"]["containerDefinitions"];
        assert_eq!(containers[0]["name"], "web");
        assert_eq!(containers[0]["image"], "web:1.4.0");
        assert_eq!(containers[0]["memory"], 128);
        assert_eq!(answer.json["definition"]["cpu"], "256");
        let left_out = answer.json["left_out"].as_array().expect("a list");
        let mut fields = left_out.iter().map(|it| &it["field"]);
        assert!(
            fields.any(|field| field == "web.HostConfig.GroupAdd"),
            "{left_out:?}"
        );
        assert_eq!(answer.warnings.len(), left_out.len());
        let shown: Value = serde_json::from_str(&answer.text(Look::Pipe)).expect("JSON");
        assert_eq!(shown, answer.json["definition"]);
    }
}
