//! What the shares of good canaries have to be.

use simulation::{Canaries, CanaryClass, CanaryShare, Coverage};

fn share(judged: u64, rolled_back: u64) -> CanaryShare {
    CanaryShare {
        judged,
        rolled_back,
    }
}

#[test]
fn each_class_has_the_bound_of_all_canaries() {
    let of = |class: CanaryShare| {
        let canaries = Canaries {
            all: share(1_000, 4),
            of_class: [(CanaryClass::Cold, class)].into(),
            ..Canaries::default()
        };
        canaries.check()
    };
    assert_eq!(of(share(300, 3)), Ok(()));
    assert_eq!(of(share(299, 4)), Ok(()), "too few to be meaningful");
    assert_eq!(
        of(share(300, 4)),
        Err("4 of 300 good canaries (cold) were rolled back, expected at most 1 %".to_owned())
    );
}

#[test]
fn undisturbed_canaries_are_deployed() {
    let of = |undisturbed, undisturbed_deployed| {
        let canaries = Canaries {
            undisturbed,
            undisturbed_deployed,
            ..Canaries::default()
        };
        canaries.check()
    };
    assert_eq!(of(100, 95), Ok(()));
    assert_eq!(of(99, 0), Ok(()), "too few to be meaningful");
    assert_eq!(
        of(100, 94),
        Err("of 100 undisturbed good canaries 94 were deployed, expected at least 95 %".to_owned())
    );
}

#[test]
fn classes_add_up_over_runs() {
    let of_class = |class, of| {
        let mut coverage = Coverage::default();
        coverage.canaries.of_class = [(class, of)].into();
        coverage
    };
    let mut all = of_class(CanaryClass::Sticky, share(3, 1));
    all.merge(&of_class(CanaryClass::Sticky, share(4, 0)));
    all.merge(&of_class(CanaryClass::Quiet, share(5, 2)));
    let expected = [
        (CanaryClass::Sticky, share(7, 1)),
        (CanaryClass::Quiet, share(5, 2)),
    ];
    assert_eq!(all.canaries.of_class, expected.into());
}
