//! Lists that AWS returns in pages.

use super::AwsError;
use crate::limits::PAGES;

/// The pages of a list, of which a limited number is read. A page but the first starts at a token,
/// or at a key of DynamoDB.
#[derive(Debug)]
pub(super) struct Pages<T = String> {
    operation: &'static str,
    limit: usize,
    /// Where the next page starts; nothing after the last page.
    next: Option<Option<T>>,
    read: usize,
}

impl<T> Pages<T> {
    /// The pages of an operation, which errors name: at most [`PAGES`].
    pub(super) fn new(operation: &'static str) -> Self {
        Self::at_most(PAGES, operation)
    }

    pub(super) fn at_most(limit: usize, operation: &'static str) -> Self {
        Self {
            operation,
            limit,
            next: Some(None),
            read: 0,
        }
    }

    /// The token of the next page, which the first page does not have; nothing after the last page.
    ///
    /// # Errors
    /// When there are more than may be read.
    pub(super) fn next_start(&mut self) -> Result<Option<Option<T>>, AwsError> {
        let next = self.next.take();
        if next.is_some() && self.read == self.limit {
            return Err(AwsError::unexpected(
                self.operation,
                format!("more than {} pages", self.limit),
            ));
        }
        self.read += 1;
        Ok(next)
    }

    /// Goes on with the page of this token; without a token the list has ended.
    pub(super) fn go_on(&mut self, token: Option<T>) {
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
