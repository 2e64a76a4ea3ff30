//! The notes of an adoption, in Markdown: what was found, what fits and what does not, the
//! commands, what releases touch, and how to leave.

use std::path::Path;

use slipway::aws::ObservedService;
use slipway::observed::service::{revision, short_name};

use super::adoption::Adoption;
use super::checks::Checks;
use super::found::Found;
use crate::{Cell, Look};

/// Before the lines in which a command goes on.
const INDENT: &str = "  ";

pub(super) fn text(adoption: &Adoption, found: &Found, checks: &Checks, file: &Path) -> String {
    let parts = [
        head(adoption, file),
        what_was_found(adoption, found),
        listed("What does not fit", checks, "NG"),
        listed("What is known only later", checks, "SKIP"),
        listed("What fits", checks, "OK"),
        deployment(adoption, file),
        touched(found),
        NEVER_TOUCHED.to_owned(),
        leaving(adoption),
    ];
    parts.join("\n")
}

fn head(adoption: &Adoption, file: &Path) -> String {
    format!(
        "# Adopt `{}`\n\n\
         Written by `slipway init`, which changed nothing in AWS. `{}` has the parameters of the \
         stack that adopts it, by the template `{}` of Slipway. Nothing of the service itself is \
         changed: no tag, no role, no name. `docs/adopt/` of Slipway has the same for each tool \
         that makes services: CloudFormation, the CDK, Terraform, Copilot and the console. The \
         tool that made this one must stop setting its image.\n",
        adoption.subject,
        file.display(),
        adoption.template
    )
}

fn what_was_found(adoption: &Adoption, found: &Found) -> String {
    let mut rows = Vec::new();
    for service in &found.services {
        rows.extend(of_service(service));
    }
    if let Some(rule) = &found.rule {
        rows.push(("listener rule", rule.arn.clone()));
    }
    let scaling = if found.scalable_targets.is_empty() {
        "none".to_owned()
    } else {
        found.scalable_targets.join(", ")
    };
    rows.push(("automatic scaling", scaling));
    if let Ok(source) = &found.source {
        rows.push(("container", source.container.clone()));
        rows.push(("repository", source.repository.clone()));
        if !source.others.is_empty() {
            rows.push(("other repositories", source.others.join(", ")));
        }
    }
    rows.push(("strategy", adoption.strategy.name().to_owned()));

    let mut text = "## What was found\n\n| | |\n| --- | --- |\n".to_owned();
    for (name, value) in rows {
        text += &format!("| {name} | {} |\n", clean(&value).replace('|', "\\|"));
    }
    text
}

fn of_service(service: &ObservedService) -> Vec<(&'static str, String)> {
    let view = &service.view;
    let runs = view
        .primary()
        .map_or("-", |it| revision(&it.task_definition));
    let groups: Vec<&str> = view.target_groups.iter().map(|it| it.name()).collect();
    let balanced = if groups.is_empty() {
        "none".to_owned()
    } else {
        groups.join(", ")
    };
    let rebalancing = if view.rebalancing { "on" } else { "off" };
    vec![
        ("service", service.arn().to_owned()),
        (
            "runs",
            format!("{runs}, {} of {} tasks", view.running, view.desired),
        ),
        (
            "deploys",
            format!("{} by {}", view.strategy, view.controller),
        ),
        ("target groups", balanced),
        ("Availability Zone rebalancing", rebalancing.to_owned()),
    ]
}

/// The checks of a state.
fn listed(title: &str, checks: &Checks, state: &str) -> String {
    let items = checks.of_state(state);
    let items: String = items
        .map(|check| format!("- **{}**: {}\n", clean(&check.name), clean(&check.reason)))
        .collect();
    if items.is_empty() {
        format!("## {title}\n\nNothing.\n")
    } else {
        format!("## {title}\n\n{items}")
    }
}

/// A text without control characters, which would end its line.
fn clean(text: &str) -> String {
    Cell::from(text).shown(Look::Pipe)
}

/// The command that makes the stack.
pub(super) fn deploy(adoption: &Adoption, file: &Path) -> String {
    let Adoption {
        region,
        stack,
        template,
        ..
    } = adoption;
    format!(
        "aws cloudformation deploy --region {region} --stack-name {stack} \\\n{INDENT}\
         --template-file {template} --capabilities CAPABILITY_IAM \\\n{INDENT}\
         --parameter-overrides file://{}\n",
        file.display()
    )
}

/// The same for a version of the AWS CLI that takes no file there.
fn create(adoption: &Adoption, file: &Path) -> String {
    let Adoption {
        region,
        stack,
        template,
        ..
    } = adoption;
    format!(
        "aws cloudformation create-stack --region {region} --stack-name {stack} \\\n{INDENT}\
         --template-body file://{template} --capabilities CAPABILITY_IAM \\\n{INDENT}\
         --parameters file://{}\n\
         aws cloudformation wait stack-create-complete --region {region} --stack-name {stack}\n",
        file.display()
    )
}

fn deployment(adoption: &Adoption, file: &Path) -> String {
    let Adoption {
        functions,
        pipeline,
        ..
    } = adoption;
    let stack = if functions == "slipway" {
        String::new()
    } else {
        format!(" --stack {functions}")
    };
    format!(
        "## Add the pipeline\n\n\
         From the folder of Slipway, with version 2 of the AWS CLI:\n\n```\n{}```\n\n\
         Version 1 takes no file in `--parameter-overrides`; with either version:\n\n```\n{}```\n\n\
         The stack finds the roles of what the service runs, and lets releases pass them. The new \
         pipeline starts at once and releases nothing: that execution fails in its source stage, \
         because it has no digest. Then the same checks, under the deploy role of the stack, which \
         show what is still missing:\n\n```\nslipway plan{stack} {pipeline}\n```\n\n\
         A push of an image with a new tag is the first release. What it refuses it names, and \
         nothing is changed then.\n",
        deploy(adoption, file),
        create(adoption, file)
    )
}

/// What releases of the service change.
fn touched(found: &Found) -> String {
    let names: Vec<String> = found
        .services
        .iter()
        .map(|it| format!("`{}`", short_name(it.name().1)))
        .collect();
    let services = names.join(" and ");
    let mut text = "## What Slipway touches\n\n".to_owned();
    text += &match &found.rule {
        None => format!(
            "- {services}: its task definition, its deployment percentages while a release runs, \
             and its count if it has no tasks.\n"
        ),
        Some(rule) => format!(
            "- {services}: task definition and count of each, and the deployment percentages while \
             a release runs.\n\
             - the rule {}: the two weights of its forward action, and after a reset also between \
             releases.\n",
            rule.arn
        ),
    };
    text += "- the task definition family: new revisions, with the tags `slipway:execution` and \
             `slipway:sent`; those that were rolled back are deregistered.\n";
    if found.rule.is_some() && !found.scalable_targets.is_empty() {
        text += "- the scalable targets: scale-in and scheduled scaling are suspended while a \
                 release runs.\n";
    }
    text
}

const NEVER_TOUCHED: &str = "\
## What Slipway never touches

Other services and rules, networks and security groups, target groups, load balancers, scaling
policies and bounds, alarms, roles and policies, secrets, records of DNS, logs, and the images in
the repository.
";

fn leaving(adoption: &Adoption) -> String {
    let Adoption {
        region,
        stack,
        subject,
        ..
    } = adoption;
    format!(
        "## Leave again\n\n\
         1. Wait until no release is open: `slipway status {subject}`. The deploy role goes with \
         the stack, and an open release can no longer be rolled back then.\n\
         2. Delete the stack. The pipeline, its rule and the deploy role go; the service goes on \
         running what it runs. The bucket of artifacts stays.\n\n\
         ```\naws cloudformation delete-stack --region {region} --stack-name {stack}\n```\n\n\
         3. Give the image back to the tool that owned it: set the image that runs, and for a pair \
         also the weights and the counts as they are.\n"
    )
}
