//! An operation on a stack, as a whole: made on a copy of the account, and begun again when a
//! custom resource has responded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::custom::{self, Wanted};
use super::deletion;
use super::error::Problem;
use super::stack::{self, Stack, StackFailure};
use super::tags::Tags;
use crate::Aws;

/// The status of a stack that an operation makes.
pub(super) const CREATING: &str = "CREATE_IN_PROGRESS";

#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The name of the stack.
    stack: String,
    work: Work,
    /// Whether a creation that a service refuses leaves the stack, rolled back.
    rolls_back: bool,
}

#[derive(Clone, Debug)]
enum Work {
    Deploy {
        /// Paths in the template start from its folder.
        template: PathBuf,
        body: Arc<str>,
        given: BTreeMap<String, String>,
        /// None if the stack keeps those that it has.
        tags: Option<Tags>,
    },
    Delete,
}

impl Operation {
    /// Makes the stack, or changes the one of that name.
    pub(super) fn deployment(
        stack: &str,
        template: &Path,
        body: &str,
        given: &BTreeMap<String, String>,
    ) -> Self {
        let work = Work::Deploy {
            template: template.to_owned(),
            body: body.into(),
            given: given.clone(),
            tags: None,
        };
        Self {
            stack: stack.to_owned(),
            work,
            rolls_back: false,
        }
    }

    pub(super) fn deletion(stack: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            work: Work::Delete,
            rolls_back: false,
        }
    }

    /// The same, with the tags that the stack gets; none if it keeps those that it has.
    pub(super) fn tagged(mut self, of_stack: Option<Tags>) -> Self {
        if let Work::Deploy { tags, .. } = &mut self.work {
            *tags = of_stack;
        }
        self
    }

    /// The same, of which a failed creation leaves the stack to be deleted.
    pub(super) fn rolling_back(self) -> Self {
        Self {
            rolls_back: true,
            ..self
        }
    }

    /// The account after the operation, or with the stack in progress if a custom resource has to
    /// respond first.
    pub(super) fn attempt(&self, aws: &Aws) -> Result<Aws, Problem> {
        let before = aws.cloudformation.stack(&self.stack);
        if before.is_some_and(Stack::is_in_progress) {
            let problem = format!("stack {} is in progress", self.stack);
            return Err(Problem::new(problem));
        }

        let mut draft = aws.clone();
        let done = self.perform(&mut draft);
        if let Some(wanted) = draft.cloudformation.custom.wanted.take() {
            return Ok(self.waiting(aws, &draft, &wanted));
        }
        done?;

        let after = draft.cloudformation.stack(&self.stack).or(before);
        if let Some(id) = after.map(|stack| stack.id.clone()) {
            draft.cloudformation.custom.forget(&id);
        }
        Ok(draft)
    }

    fn perform(&self, aws: &mut Aws) -> Result<(), Problem> {
        let Work::Deploy {
            template,
            body,
            given,
            tags,
        } = &self.work
        else {
            return stack::delete(aws, &self.stack);
        };

        let name = &self.stack;
        let made = stack::deploy_text(aws, name, None, template, body, given, tags.as_ref());
        if !self.rolls_back || aws.cloudformation.custom.wanted.is_some() {
            return made;
        }
        made.or_else(|problem| stack::failure::roll_back(aws, &self.stack, problem))
    }

    /// The account as it was, with the stack in progress and a request on its way.
    fn waiting(&self, aws: &Aws, draft: &Aws, wanted: &Wanted) -> Aws {
        let mut after = aws.clone();
        let status = match self.work {
            Work::Delete => "DELETE_IN_PROGRESS",
            Work::Deploy { .. } => "UPDATE_IN_PROGRESS",
        };
        let state = &mut after.cloudformation;
        if let Some(stack) = state.stacks.get_mut(&self.stack) {
            Arc::make_mut(stack).in_progress = Some(status);
        } else if let Some(made) = draft.cloudformation.stack(&self.stack) {
            let begun = made.as_begun(CREATING);
            state.stacks.insert(self.stack.clone(), Arc::new(begun));
            state.reviewed.remove(&self.stack);
        }

        custom::invoke(&mut after, wanted, self.clone());
        after
    }

    /// Begins again, since a custom resource has responded.
    pub(super) fn go_on(&self, aws: &mut Aws) {
        let state = &mut aws.cloudformation;
        let Some(stack) = state.stacks.get_mut(&self.stack) else {
            return;
        };
        let begun = Arc::clone(stack);
        if begun.in_progress == Some(CREATING) {
            // It keeps its id, as one that a change set makes.
            state.stacks.remove(&self.stack);
            let id = begun.id.clone();
            state.reviewed.insert(self.stack.clone(), id);
        } else {
            Arc::make_mut(stack).in_progress = None;
        }

        if matches!(self.work, Work::Delete) {
            return deletion::finish(aws, &self.stack);
        }
        match self.clone().rolling_back().attempt(aws) {
            Ok(after) => *aws = after,
            Err(problem) => self.fail(aws, Arc::clone(&begun), problem),
        }
        if let Some(stack) = aws.cloudformation.stacks.get_mut(&self.stack) {
            Arc::make_mut(stack).created = begun.created;
        }
    }

    /// Leaves the stack as it was when the operation began, with the problem.
    fn fail(&self, aws: &mut Aws, begun: Arc<Stack>, problem: Problem) {
        let logical_id = problem.resource().map(str::to_owned);
        let is_new = begun.in_progress == Some(CREATING);
        let reason = problem.in_template(&begun.template).problem;

        let mut stack = Arc::unwrap_or_clone(begun);
        stack.in_progress = None;
        stack.failure = Some(if is_new {
            StackFailure::Creation {
                logical_id: logical_id.unwrap_or_default(),
                kind: "AWS::CloudFormation::Stack",
                reason,
                left: None,
            }
        } else {
            StackFailure::Update {
                at: aws.now,
                logical_id,
                reason,
            }
        });

        let state = &mut aws.cloudformation;
        state.custom.forget(&stack.id);
        state.reviewed.remove(&self.stack);
        state.stacks.insert(self.stack.clone(), Arc::new(stack));
    }
}
