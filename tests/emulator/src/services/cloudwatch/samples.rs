//! The samples of a metric in a period, kept as a distribution, and what a statistic makes of them.
//!
//! Samples are kept in cells: this many values, spread evenly between two bounds. Percentiles and
//! counts are exact for them.

/// This many values between two bounds: value `i` of `count` is at `low + (high - low)·(i +
/// ½)/count`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) count: f64,
}

/// Values of which only this was put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Samples {
    /// In order of their lower bounds; two of the same bounds are one.
    cells: Vec<Cell>,
    summaries: Vec<Summary>,
}

impl Cell {
    /// The same value several times.
    pub(super) fn same(value: f64, count: f64) -> Self {
        Self {
            low: value,
            high: value,
            count,
        }
    }

    fn bounds(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    fn value(&self, index: f64) -> f64 {
        self.low + (self.high - self.low) * (index + 0.5) / self.count
    }

    /// How many values are `most` at most. The grain of sand lets a percentile count itself.
    fn up_to(&self, most: f64) -> f64 {
        if most < self.low {
            return 0.0;
        }
        if most >= self.high {
            return self.count;
        }

        let part = (most - self.low) / (self.high - self.low);
        (part * self.count + 0.5 + 1e-9)
            .floor()
            .clamp(0.0, self.count)
    }

    /// The sum of the first values.
    fn sum_of(&self, first: f64) -> f64 {
        first * self.low + (self.high - self.low) * first * first / (2.0 * self.count)
    }
}

impl Samples {
    pub(super) fn add(&mut self, cell: Cell) {
        if cell.count <= 0.0 {
            return;
        }

        let at = self
            .cells
            .partition_point(|known| known.bounds() < cell.bounds());
        match self.cells.get_mut(at) {
            Some(known) if known.bounds() == cell.bounds() => known.count += cell.count,
            _ => self.cells.insert(at, cell),
        }
    }

    /// Every cell, in order.
    pub(super) fn cells(&self) -> &[Cell] {
        &self.cells
    }

    pub(super) fn put(&mut self, summary: Summary) {
        // Of equal values everything is known.
        if summary.minimum == summary.maximum {
            return self.add(Cell::same(summary.minimum, summary.count));
        }
        self.summaries.push(summary);
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.cells = merged(&self.cells, &other.cells);
        self.summaries.extend(&other.summaries);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.summaries.is_empty()
    }

    pub(super) fn count(&self) -> f64 {
        let summaries = self.summaries.iter().map(|summary| summary.count);
        self.cells
            .iter()
            .map(|cell| cell.count)
            .chain(summaries)
            .sum()
    }

    pub(super) fn sum(&self) -> f64 {
        let cells = self.cells.iter().map(|cell| cell.sum_of(cell.count));
        cells
            .chain(self.summaries.iter().map(|summary| summary.sum))
            .sum()
    }

    pub(super) fn minimum(&self) -> f64 {
        let cells = self.cells.iter().map(|cell| cell.value(0.0));
        cells
            .chain(self.summaries.iter().map(|summary| summary.minimum))
            .fold(f64::INFINITY, f64::min)
    }

    pub(super) fn maximum(&self) -> f64 {
        let cells = self.cells.iter().map(|cell| cell.value(cell.count - 1.0));
        cells
            .chain(self.summaries.iter().map(|summary| summary.maximum))
            .fold(f64::NEG_INFINITY, f64::max)
    }

    /// Whether more is known than summaries.
    pub(super) fn has_distribution(&self) -> bool {
        self.summaries.is_empty() && !self.cells.is_empty()
    }

    /// The value that this many percent of the values are at most (nearest rank).
    pub(super) fn percentile(&self, percent: f64) -> f64 {
        let mut rank = (percent / 100.0 * self.count() - 1e-9).ceil().max(1.0);
        for cell in &self.cells {
            if rank <= cell.count {
                return cell.value(rank - 1.0);
            }
            rank -= cell.count;
        }
        self.maximum()
    }

    /// How many values are above `low` and at most `high`, and their sum.
    pub(super) fn within(&self, low: f64, high: f64) -> (f64, f64) {
        let of = |cell: &Cell| {
            let (below, up_to) = (cell.up_to(low), cell.up_to(high));
            (up_to - below, cell.sum_of(up_to) - cell.sum_of(below))
        };
        self.cells
            .iter()
            .map(of)
            .fold((0.0, 0.0), |(count, sum), (more, plus)| {
                (count + more, sum + plus)
            })
    }
}

/// The cells of both in their order.
fn merged(ours: &[Cell], theirs: &[Cell]) -> Vec<Cell> {
    let mut merged = Vec::with_capacity(ours.len() + theirs.len());
    let mut ours = ours.iter().copied().peekable();
    for cell in theirs {
        while let Some(earlier) = ours.next_if(|known| known.bounds() < cell.bounds()) {
            merged.push(earlier);
        }
        let same = ours.next_if(|known| known.bounds() == cell.bounds());
        let count = cell.count + same.map_or(0.0, |same| same.count);
        merged.push(Cell { count, ..*cell });
    }
    merged.extend(ours);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1, 2, … 100 and, in one cell, a hundred values between 200 and 300.
    fn hundreds() -> Samples {
        let mut samples = Samples::default();
        (1..=100)
            .rev()
            .for_each(|value| samples.add(Cell::same(f64::from(value), 1.0)));
        samples.add(Cell {
            low: 200.0,
            high: 300.0,
            count: 100.0,
        });
        samples
    }

    #[test]
    fn what_is_counted_agrees_with_percentiles() {
        let samples = hundreds();
        assert_eq!((samples.count(), samples.sum()), (200.0, 5050.0 + 25_000.0));
        assert_eq!((samples.minimum(), samples.maximum()), (1.0, 299.5));
        assert_eq!(samples.percentile(10.0), 20.0);
        assert_eq!(samples.percentile(100.0), 299.5);

        for percent in [0.5, 10.0, 50.0, 50.5, 75.0, 90.0, 99.0, 99.5, 100.0] {
            let value = samples.percentile(percent);
            assert_eq!(
                samples.within(f64::NEG_INFINITY, value).0,
                percent * 2.0,
                "p{percent} = {value}"
            );
        }
        assert_eq!(
            samples.within(10.0, 20.0),
            (10.0, 155.0),
            "above the lower bound, up to the upper one"
        );
    }

    #[test]
    fn cells_of_the_same_bounds_are_one() {
        let mut samples = hundreds();
        samples.extend(&hundreds());
        assert_eq!(samples.cells.len(), 101);
        assert_eq!(samples.percentile(10.0), 20.0);
    }

    #[test]
    fn a_summary_has_no_distribution_unless_all_values_are_the_same() {
        let mut samples = Samples::default();
        samples.put(Summary {
            count: 3.0,
            sum: 6.0,
            minimum: 2.0,
            maximum: 2.0,
        });

        assert!(samples.has_distribution());

        samples.put(Summary {
            count: 2.0,
            sum: 9.0,
            minimum: 1.0,
            maximum: 8.0,
        });
        assert!(!samples.has_distribution());
        assert_eq!(
            (
                samples.count(),
                samples.sum(),
                samples.minimum(),
                samples.maximum()
            ),
            (5.0, 15.0, 1.0, 8.0)
        );
    }
}
