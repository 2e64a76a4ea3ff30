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
