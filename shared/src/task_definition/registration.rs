//! What a release registers, composed in one place: a dry run lists what register-task-definition
//! sends.

use super::definition::TaskDefinition;
use super::mark::Mark;

/// What a release wants to register, in the family in which it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    pub definition: TaskDefinition,
    pub mark: Mark,
}

impl Registration {
    /// The registration of what an execution wants, in its own family or else `into` another one.
    #[must_use]
    pub fn new(execution: &str, wanted: TaskDefinition, into: Option<&str>) -> Self {
        let mark = Mark {
            execution: execution.to_owned(),
            sent: wanted.fingerprint(),
        };
        let definition = match into {
            Some(family) => wanted.in_family(family),
            None => wanted,
        };
        Self { definition, mark }
    }

    /// What Amazon ECS receives: with the tags of the family's newest revision, if the definition
    /// has none of its own, and with the mark.
    ///
    /// # Errors
    /// If the tags leave no room for the mark, or the definition is too large.
    pub fn sent(&self, newest: Option<&TaskDefinition>) -> Result<TaskDefinition, String> {
        let tagged = self.tagged(newest);
        let sent = tagged.marked(&self.mark).map_err(|why| self.refused(why))?;
        sent.check_size()?;
        Ok(sent)
    }

    /// Whether the definition has tags of its own, which a registration keeps.
    #[must_use]
    pub fn has_tags(&self) -> bool {
        !self.definition.tags().is_empty()
    }

    /// Checks that the tags of what is sent leave room for the mark.
    ///
    /// # Errors
    /// If they do not.
    pub fn check_tags(&self, newest: Option<&TaskDefinition>) -> Result<(), String> {
        let tagged = self.tagged(newest);
        tagged.check_tags().map_err(|why| self.refused(why))
    }

    fn tagged(&self, newest: Option<&TaskDefinition>) -> TaskDefinition {
        let definition = self.definition.clone();
        match newest {
            Some(newest) => definition.with_tags_of(newest),
            None => definition,
        }
    }

    /// Why tags are refused, with the revision that has them.
    fn refused(&self, why: String) -> String {
        if self.has_tags() {
            return why;
        }
        let family = self.definition.family();
        format!("the newest revision of family `{family}`, whose tags the next one gets: {why}")
    }
}
