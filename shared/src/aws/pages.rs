//! Lists that AWS returns in pages.

use super::AwsError;
use crate::limits::PAGES;

/// The pages of a list, of which at most [`PAGES`] are read.
#[derive(Debug)]
pub(super) struct Pages {
    operation: &'static str,
    /// Where the next page starts; nothing after the last page.
    next: Option<Option<String>>,
    read: usize,
}

impl Pages {
    /// The pages of an operation, which errors name.
    pub(super) fn new(operation: &'static str) -> Self {
        Self {
            operation,
            next: Some(None),
            read: 0,
        }
    }

    /// The token of the next page, which the first page does not have; nothing after the last page.
    ///
    /// # Errors
    /// When there are more than [`PAGES`].
    pub(super) fn next_start(&mut self) -> Result<Option<Option<String>>, AwsError> {
        let next = self.next.take();
        if next.is_some() && self.read == PAGES {
            return Err(AwsError::unexpected(
                self.operation,
                format!("more than {PAGES} pages"),
            ));
        }
        self.read += 1;
        Ok(next)
    }

    /// Goes on with the page of this token; without a token the list has ended.
    pub(super) fn go_on(&mut self, token: Option<String>) {
        self.next = token.map(Some);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_to_the_last_and_not_without_end() {
        let mut pages = Pages::new("ecs:ListTasks");
        assert_eq!(pages.next_start().unwrap(), Some(None));
        pages.go_on(Some("second".to_owned()));
        assert_eq!(pages.next_start().unwrap(), Some(Some("second".to_owned())));
        pages.go_on(None);
        assert_eq!(pages.next_start().unwrap(), None);

        let mut pages = Pages::new("ecs:ListTasks");
        let endless = std::iter::repeat_with(|| {
            let start = pages.next_start();
            pages.go_on(Some("more".to_owned()));
            start
        });
        let refused = endless.take(PAGES + 1).position(|start| start.is_err());
        assert_eq!(refused, Some(PAGES));
    }
}
