use super::*;

#[test]
fn large_numbers_are_grouped() {
    let grouped: Vec<_> = [0, 12, 999, 1000, 6012, 54_110, 1_234_567]
        .into_iter()
        .map(thousands)
        .collect();
    assert_eq!(
        grouped,
        ["0", "12", "999", "1,000", "6,012", "54,110", "1,234,567"]
    );
}

#[test]
fn shares_keep_their_significant_digits() {
    let shares: Vec<_> = [0.0, 0.0102, 0.12345, 1.0, 7e-6, 4.2e-5, 1e-12]
        .into_iter()
        .map(percent)
        .collect();
    assert_eq!(
        shares,
        [
            "0%",
            "1.02%",
            "12.35%",
            "100.00%",
            "0.0007%",
            "0.004%",
            "under 0.000001%"
        ]
    );
}

#[test]
fn numbers_have_fewer_decimals_the_larger_they_are() {
    let numbers: Vec<_> = [0.05, 1.04, 10.14, 199.6, 23_456.7]
        .into_iter()
        .map(significant)
        .collect();
    assert_eq!(numbers, ["0.05", "1.0", "10.1", "200", "23,457"]);
    assert_eq!(
        [plain(0.005), plain(1.1), plain(20_000.0)],
        ["0.005", "1.1", "20,000"]
    );
}

#[test]
fn settings_have_their_shortest_form() {
    assert_eq!(
        [share(0.125), share(0.1), share(1e-4), share(1.0 / 3.0)],
        ["12.5%", "10%", "0.01%", "33.333333%"]
    );
    assert_eq!(
        [odds(0.005), odds(0.05), odds(1e-4)],
        ["200", "20", "10,000"]
    );
}

#[test]
fn evidence_beyond_measure_is_not_printed_digit_by_digit() {
    assert_eq!(evidence(123.5), "over 1,000,000");
    assert_eq!(evidence(-900.0), "under 0.01");
    assert_eq!(evidence(8.57), "5,271");
    assert_eq!(
        [
            short_evidence(123.5),
            short_evidence(-900.0),
            short_evidence(0.0)
        ],
        ["> 1 M", "< 0.01", "1.0"]
    );
}

#[test]
fn minutes_are_written_as_ranges() {
    assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1–3, 7, 9–10");
    assert_eq!(ranges(&[]), "");
}

#[test]
fn a_rate_keeps_its_digits_and_needs_requests() {
    let rates = [(0, 0), (500, 0), (6012, 61), (1_000_000, 7)]
        .map(|(requests, bad)| rate(Tally::new(requests, bad)));
    assert_eq!(rates, ["no data", "0%", "1.01%", "0.0007%"]);
    assert_eq!([percent(1e-4), percent(5e-5)], ["0.01%", "0.005%"]);
}

#[test]
fn numbers_change_their_form_at_fixed_limits() {
    assert_eq!(
        [0.994, 0.999, 1.0, 99.94, 100.0, 1_234.0].map(significant),
        ["0.99", "1.00", "1.0", "99.9", "100", "1,234"]
    );
    assert_eq!(evidence_of(123.5, 200_f64.ln()), "over 1,000,000 of 200");
    assert_eq!(evidence_of(1.04, 200_f64.ln()), "2.8 of 200");
    assert_eq!(
        [
            evidence_of(1e6_f64.ln(), 200_f64.ln()),
            evidence_of(1e6_f64.ln() + 0.01, 200_f64.ln())
        ],
        ["1,000,000 of 200", "over 1,000,000 of 200"]
    );
}

#[test]
fn minutes_and_settings_change_their_form_at_fixed_limits() {
    assert_eq!(
        [1, 2, 1_440].map(minutes),
        ["1 minute", "2 minutes", "1,440 minutes"]
    );
    assert_eq!(
        [999.0, 1_000.0, 1_000.5].map(plain),
        ["999", "1,000", "1000.5"]
    );
}
