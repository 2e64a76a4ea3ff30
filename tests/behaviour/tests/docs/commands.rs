//! The commands of the documentation that deploy a template, and what Terraform deploys: their
//! parameters are those of the template, and those without a default are given.

use std::collections::BTreeSet;

use regex_lite::Regex;

use crate::generated::templates;
use crate::{markdown, project};

const COMMAND: &str = "aws cloudformation deploy ";
/// The argument of Terraform's resource for a stack that has the template.
const RESOURCE: &str = "template_body";
/// The least number of deployments on all pages.
const LEAST: usize = 15;

/// What a page deploys.
struct Deployment {
    /// Where the block of code begins.
    line: usize,
    /// The path of the template from the root.
    template: String,
    /// The names of the parameters that are given.
    given: BTreeSet<String>,
}

fn deployments(page: &str) -> Vec<Deployment> {
    let template = Regex::new(r"infra/[a-z/-]+\.yaml").expect("a valid expression");
    let parameter = Regex::new(r#"[\s'"]([A-Z][A-Za-z]+)\s*="#).expect("a valid expression");

    let mut found = Vec::new();
    for (line, block) in markdown::blocks(page) {
        let mut texts: Vec<String> = block.split(COMMAND).skip(1).map(command).collect();
        if block.contains(RESOURCE) {
            texts.push(block);
        }
        for text in texts {
            let Some(path) = template.find(&text) else {
                continue;
            };
            let given = parameter.captures_iter(&text);
            found.push(Deployment {
                line,
                template: path.as_str().to_owned(),
                given: given.map(|name| name[1].to_owned()).collect(),
            });
        }
    }
    found
}

/// The command with which a text begins: its lines up to the first that is not continued.
fn command(text: &str) -> String {
    let mut command = String::new();
    for line in text.lines() {
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    command
}

/// What is wrong with the parameters of a deployment.
fn problems(deployment: &Deployment) -> Vec<String> {
    let known = templates::parameters(&project::read(&deployment.template));
    let given = &deployment.given;
    let unknown = given
        .iter()
        .filter(|name| !known.iter().any(|(known, _)| known == *name))
        .map(|name| format!("{name} is not a parameter"));
    let missing = known
        .iter()
        .filter(|(name, attributes)| !attributes.contains_key("Default") && !given.contains(name))
        .map(|(name, _)| format!("{name} is missing"));
    unknown.chain(missing).collect()
}

#[test]
fn deployments_give_parameters_that_their_templates_have_and_all_without_a_default() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for page in project::markdown() {
        for deployment in deployments(&page.text) {
            seen += 1;
            let Deployment { line, template, .. } = &deployment;
            let problems = problems(&deployment).into_iter();
            wrong.extend(problems.map(|why| format!("{}:{line}: {template}: {why}", page.name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen >= LEAST, "only {seen} deployments were found");
}

#[test]
fn the_parameters_of_a_command_and_of_a_resource_are_found() {
    let page = "```\nROLES=a\naws cloudformation deploy --template-file infra/a.yaml \\\n  \
                --parameter-overrides Name=b 'Other=c' \\\n    \"Third=d e\"\necho Fourth=f\n```\n\n\
                ```hcl\ntemplate_body = file(\"x\") # infra/pipelines/b.yaml\n  \
                Name    = \"y\"\n```\n";
    let found: Vec<_> = deployments(page)
        .into_iter()
        .map(|it| {
            (
                it.line,
                it.template,
                it.given.into_iter().collect::<Vec<_>>(),
            )
        })
        .collect();

    let names =
        |names: &[&str]| -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    assert_eq!(
        found,
        [
            (
                2,
                "infra/a.yaml".to_owned(),
                names(&["Name", "Other", "Third"])
            ),
            (10, "infra/pipelines/b.yaml".to_owned(), names(&["Name"])),
        ]
    );
}
