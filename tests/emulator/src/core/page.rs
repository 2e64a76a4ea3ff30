//! Pages of lists: where a page starts, how long it is, and the token that names the next one.

/// How a service writes the position at which a page starts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tokens {
    Decimal,
    Hexadecimal,
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The token of the next page, if there is one.
    pub(crate) next: Option<String>,
}

impl Tokens {
    /// At most `size` items of a list, from where the token points; nothing if it points nowhere.
    pub(crate) fn page<T>(self, all: Vec<T>, token: Option<&str>, size: usize) -> Option<Page<T>> {
        let start = match token {
            Some(token) => self.read(token)?,
            None => 0,
        };
        let (items, next) = cut(all, start, size)?;

        Some(Page {
            items,
            next: next.map(|position| self.write(position)),
        })
    }

    fn read(self, token: &str) -> Option<usize> {
        match self {
            Self::Decimal => token.parse().ok(),
            Self::Hexadecimal => usize::from_str_radix(token, 16).ok(),
        }
    }

    fn write(self, position: usize) -> String {
        match self {
            Self::Decimal => position.to_string(),
            Self::Hexadecimal => format!("{position:016x}"),
        }
    }
}

/// At most `size` items from position `start`, and the position of the next page, if there is one.
/// Nothing if the list does not have the position.
pub(crate) fn cut<T>(all: Vec<T>, start: usize, size: usize) -> Option<(Vec<T>, Option<usize>)> {
    let total = all.len();
    if start > total {
        return None;
    }

    let items: Vec<T> = all.into_iter().skip(start).take(size).collect();
    let end = start + items.len();
    Some((items, (end < total).then_some(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_until_the_list_ends() {
        for tokens in [Tokens::Decimal, Tokens::Hexadecimal] {
            let mut read = Vec::new();
            let mut token = None;
            loop {
                let all: Vec<u32> = (0..45).collect();
                let page = tokens.page(all, token.as_deref(), 20).unwrap();
                read.push(page.items.len());
                token = page.next;
                if token.is_none() {
                    break;
                }
            }

            assert_eq!(read, [20, 20, 5], "{tokens:?}");
        }
    }

    #[test]
    fn a_token_that_points_nowhere_has_no_page() {
        for token in ["46", "x", ""] {
            let page = Tokens::Decimal.page((0..45).collect::<Vec<u32>>(), Some(token), 20);
            assert_eq!(page, None, "{token}");
        }
    }
}
