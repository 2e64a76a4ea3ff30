//! What a judgement must remember between looks, besides the data that can be fetched again.
//!
//! Live data fills in later than it is read. A minute that was skipped must stay skipped and the
//! highest evidence must stay reached, or a replay could reach another verdict.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the stored form.
pub const PROGRESS_VERSION: u32 = 1;

/// The highest family evidence so far, and the metric behind it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peak {
    /// ln of the family's evidence E.
    pub log_e: f64,
    /// The name of the metric with the largest part in it.
    pub metric: String,
    /// The minute of the look that reached it.
    pub minute: u32,
}

/// The part of a judge that cannot be rebuilt from data. Small enough for a continuation token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Always [`PROGRESS_VERSION`].
    pub v: u32,
    /// Skipped minutes by metric; a metric that skipped none is left out.
    pub skipped: BTreeMap<String, MinuteRanges>,
    /// The highest evidence at which a rollback was allowed.
    pub highest: Option<Peak>,
}

/// Minutes as inclusive ranges, in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinuteRanges(Vec<(u32, u32)>);

impl MinuteRanges {
    /// Whether no minute is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `minute` is in it.
    pub fn contains(&self, minute: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= minute);
        after > 0 && minute <= self.0[after - 1].1
    }

    /// Whether the ranges are in ascending order and do not touch, so that they can be searched.
    pub fn is_sorted(&self) -> bool {
        let forward = self.0.iter().all(|(first, last)| first <= last);
        forward && self.0.windows(2).all(|pair| pair[0].1 < pair[1].0)
    }

    /// Adds a minute that is not in it; usually the latest of all.
    pub(super) fn push(&mut self, minute: u32) {
        let after = self.0.partition_point(|(first, _)| *first <= minute);
        match after.checked_sub(1).map(|before| &mut self.0[before]) {
            Some((_, last)) if *last + 1 == minute => *last = minute,
            _ => self.0.insert(after, (minute, minute)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_minutes_share_a_range() {
        let mut ranges = MinuteRanges::default();
        [2, 3, 4, 9, 11, 12, 7]
            .into_iter()
            .for_each(|minute| ranges.push(minute));
        assert_eq!(
            serde_json::to_string(&ranges).unwrap(),
            "[[2,4],[7,7],[9,9],[11,12]]"
        );

        let inside: Vec<u32> = (0..14).filter(|minute| ranges.contains(*minute)).collect();
        assert_eq!(inside, [2, 3, 4, 7, 9, 11, 12]);
        assert!(ranges.is_sorted());
    }

    #[test]
    fn a_stored_form_with_unknown_fields_is_refused() {
        let stored = r#"{"v":1,"skipped":{},"highest":null,"weight":10}"#;
        let error = serde_json::from_str::<Progress>(stored).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `weight`"),
            "{error}"
        );
    }

    #[test]
    fn only_ranges_in_order_that_do_not_touch_are_sorted() {
        let sorted = |ranges: &str| {
            serde_json::from_str::<MinuteRanges>(ranges)
                .unwrap()
                .is_sorted()
        };

        for ranges in ["[]", "[[1,1]]", "[[1,3],[5,5]]", "[[1,3],[4,5]]"] {
            assert!(sorted(ranges), "{ranges}");
        }

        for ranges in ["[[3,1]]", "[[1,3],[3,5]]", "[[5,5],[1,3]]", "[[1,3],[6,5]]"] {
            assert!(!sorted(ranges), "{ranges}");
        }
    }

    #[test]
    fn a_minute_beside_a_range_is_not_in_it() {
        let ranges: MinuteRanges = serde_json::from_str("[[3,5],[9,9]]").unwrap();
        let inside: Vec<u32> = (0..12).filter(|minute| ranges.contains(*minute)).collect();
        assert_eq!(inside, [3, 4, 5, 9]);
        assert!(!MinuteRanges::default().contains(0));
    }

    #[test]
    fn the_stored_form_is_the_one_that_tokens_hold() {
        let progress = Progress {
            v: PROGRESS_VERSION,
            skipped: [(
                "errors".to_owned(),
                serde_json::from_str("[[2,3]]").unwrap(),
            )]
            .into(),
            highest: Some(Peak {
                log_e: 1.5,
                metric: "errors".to_owned(),
                minute: 4,
            }),
        };
        let stored = concat!(
            r#"{"v":1,"skipped":{"errors":[[2,3]]},"#,
            r#""highest":{"log_e":1.5,"metric":"errors","minute":4}}"#
        );

        assert_eq!(serde_json::to_string(&progress).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Progress>(stored).unwrap(), progress);
    }
}
