//! Stacks from small templates and from the project's own.

use std::path::PathBuf;

use serde_json::json;

use super::*;

mod api;
mod autoscaling;
mod cdk;
mod change_sets;
mod custom;
mod in_review;
mod own_actions;
mod own_choices;
mod own_found_roles;
mod own_functions;
mod own_grants;
mod own_limits;
mod own_logs;
mod own_pairs;
mod own_records;
mod own_retention;
mod own_roles;
mod own_service;
mod own_sizes;
mod own_stack_updates;
mod own_statements;
mod own_templates;
mod own_unplayed;
mod permissions;
mod previous;
mod records;
mod resources;
mod roles;
mod sam;
mod service_reports;
mod stacks;
mod tags;

/// A template in a folder of its own, which goes when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path =
            std::env::temp_dir().join(format!("cloudformation-{name}-{}", std::process::id()));
        let folder = Self(path);
        for (file, text) in files {
            folder.write(file, text);
        }
        folder
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn deploy(&self, aws: &mut Aws, file: &str) -> Result<(), StackError> {
        deploy(aws, "app", &self.0.join(file), &BTreeMap::new())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn physical_id(aws: &Aws, stack: &str, logical_id: &str) -> String {
    let stack = aws.cloudformation.stack(stack).unwrap();
    stack.resource(logical_id).unwrap().physical_id.clone()
}

/// Why deploying a template is refused.
fn refused(name: &str, text: &str) -> String {
    let folder = Folder::new(name, &[("t.yaml", text)]);
    let mut aws = Aws::new(1);
    let error = folder.deploy(&mut aws, "t.yaml").unwrap_err();

    assert!(
        aws.cloudformation.stack("app").is_none(),
        "nothing is left half-done"
    );

    format!("{}: {}", error.place, error.problem)
}

/// The outputs of a template.
fn outputs(name: &str, text: &str) -> BTreeMap<String, String> {
    let folder = Folder::new(name, &[("t.yaml", text)]);
    let mut aws = Aws::new(1);
    folder.deploy(&mut aws, "t.yaml").unwrap();
    aws.cloudformation.stack("app").unwrap().outputs.clone()
}
