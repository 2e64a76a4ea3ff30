//! The interval that the charts and the table draw around a rate.

/// The 97.5 % point of the standard normal distribution, for intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's score interval of 95 % for `bad` of `requests`, both divided by the overdispersion φ.
///
/// E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of
/// the American Statistical Association 22 (1927). It keeps its promise for few requests and for no
/// bad ones at all, where the usual interval shrinks to nothing: L. Brown, T. Cai and A. DasGupta,
/// "Interval estimation for a binomial proportion", Statistical Science 16 (2001).
///
/// It is right for one look at one minute, and is for the eye: no verdict rests on it.
pub(super) fn wilson(bad: u64, requests: u64, dispersion: f64) -> Option<(f64, f64)> {
    if requests == 0 {
        return None;
    }

    let n = requests as f64 / dispersion;
    let rate = bad as f64 / requests as f64;
    let z2 = Z * Z;
    let centre = rate + z2 / (2.0 * n);
    let reach = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    // The bounds are exactly 0 and 1 at the ends; rounding would leave dust there.
    let low = if bad == 0 {
        0.0
    } else {
        ((centre - reach) / scale).max(0.0)
    };
    let high = if bad == requests {
        1.0
    } else {
        ((centre + reach) / scale).min(1.0)
    };

    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_equals_published_values() {
        // 81 of 263: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 17, 1998, table I).
        let (low, high) = wilson(81, 263, 1.0).unwrap();
        assert!(
            (low - 0.2553).abs() < 5e-5 && (high - 0.3662).abs() < 5e-5,
            "{low} {high}"
        );

        // 0 of 20: 0 to 0.1611; 1 of 29: 0.0061 to 0.1718.
        let (low, high) = wilson(0, 20, 1.0).unwrap();
        assert!(low == 0.0 && (high - 0.1611).abs() < 5e-5, "{low} {high}");

        let (low, high) = wilson(1, 29, 1.0).unwrap();
        assert!(
            (low - 0.0061).abs() < 5e-5 && (high - 0.1718).abs() < 5e-5,
            "{low} {high}"
        );
    }

    #[test]
    fn the_ends_are_exact_and_nothing_has_no_interval() {
        assert_eq!(wilson(0, 0, 1.0), None);
        assert_eq!(wilson(5, 5, 1.0).unwrap().1, 1.0);
    }

    #[test]
    fn overdispersion_widens_it() {
        let single = wilson(10, 1000, 1.0).unwrap();
        let overdispersed = wilson(10, 1000, 4.0).unwrap();
        assert!(overdispersed.0 < single.0 && overdispersed.1 > single.1);
    }
}
