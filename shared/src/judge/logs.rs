//! Adds numbers of which only the logarithms are kept, since evidence outgrows every float.

/// `ln Σ e^x` without overflow; `−∞` of nothing.
pub(super) fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + terms.map(|term| (term - top).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sum_exp_survives_extremes() {
        assert_eq!(log_sum_exp(std::iter::empty()), f64::NEG_INFINITY);
        assert!((log_sum_exp([1e4, 1e4].into_iter()) - (1e4 + 2f64.ln())).abs() < 1e-9);
        assert!((log_sum_exp([-1e4, f64::NEG_INFINITY].into_iter()) + 1e4).abs() < 1e-9);
    }
}
