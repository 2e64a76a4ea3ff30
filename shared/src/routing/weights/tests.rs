use super::*;

#[test]
fn a_share_and_the_rest_make_a_hundred() {
    for percent in 0..=100 {
        let weights = Weights::with(Colour::Green, percent);
        assert_eq!(
            (weights.percent(Colour::Green), weights.blue + weights.green),
            (percent, 100)
        );
        assert_eq!(
            *weights.of(Colour::Green),
            Weights::with(Colour::Blue, percent).blue
        );
    }

    assert_eq!(Weights { blue: 1, green: 3 }.percent(Colour::Green), 75);
}

#[test]
fn a_colour_is_live_when_it_alone_has_traffic() {
    let live = |blue, green| Weights { blue, green }.live();
    assert_eq!(
        [live(1, 0), live(0, 999)],
        [Some(Colour::Blue), Some(Colour::Green)]
    );
    assert_eq!([live(0, 0), live(90, 10)], [None, None]);
}

#[test]
fn weights_are_written_by_colour() {
    assert_eq!(
        Weights { blue: 7, green: 12 }.to_string(),
        "blue 7 / green 12"
    );
}

#[test]
fn a_share_is_of_the_sum_of_both_weights_and_rounded_down() {
    let share = |blue, green| {
        let weights = Weights { blue, green };
        [
            weights.percent(Colour::Blue),
            weights.percent(Colour::Green),
        ]
    };

    assert_eq!(share(2, 1), [66, 33]);
    assert_eq!(share(0, 7), [0, 100]);
    assert_eq!(share(999, 999), [50, 50]);
    assert_eq!(share(1, 999), [0, 99]);
    assert_eq!(share(0, 0), [0, 0]);
    assert_eq!(
        Weights::with(Colour::Blue, 101),
        Weights {
            blue: 100,
            green: 0
        }
    );
}

#[test]
fn the_weights_before_a_shift_are_possible_until_it_is_confirmed() {
    let [a, b, c] = [0, 20, 50].map(|percent| Weights::with(Colour::Green, percent));
    let at = Timestamp::from_secs(1_767_603_600).expect("in range");
    let shift = |made, known: &[Weights]| TrafficShift {
        from: a,
        to: b,
        at,
        made,
        known: known.to_vec(),
    };

    assert_eq!(shift(false, &[]).possible_weights(), [a, b]);
    assert_eq!(shift(true, &[]).possible_weights(), [b]);
    assert_eq!(shift(true, &[c, a]).possible_weights(), [c, a, b]);
    assert_eq!(shift(false, &[b, a]).possible_weights(), [b, a]);
}
