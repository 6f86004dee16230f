#![allow(clippy::unwrap_used)]

use super::*;

/// Each row from the lowest to the highest version.
#[test]
fn versions_are_ordered() {
    let rows: [&[&str]; 6] = [
        &["1-alpha-1", "1-beta", "1-milestone", "1-rc", "1-snapshot", "1", "1-sp", "1-xyz", "1-1"],
        &["1.9", "1.10", "1.11.1", "2"],
        &["2.0-alpha", "2.0-a1", "2.0-alpha-2", "2.0"],
        &["1.2.min", "1.2-alpha", "1.2", "1.2.99999999999", "1.2.max"],
        &["1-abc", "1-abd", "1-1"],
        &["0.9.99", "1-SNAPSHOT", "1.0.0.Final", "1.0.1.Alpha1", "1.0.1.Beta2", "1.0.1.CR1", "1.0.1.Final"],
    ];
    for row in rows {
        for pair in row.windows(2) {
            let (low, high) = (Version::parse(pair[0]), Version::parse(pair[1]));
            assert!(low < high, "{low} < {high}");
            assert!(high > low, "{high} > {low}");
        }
    }
}

#[test]
fn spellings_of_the_same_version() {
    for row in [
        ["1", "1.0"],
        ["1", "1.0.0"],
        ["1", "1-ga"],
        ["1-a1", "1-alpha-1"],
        ["1-CR1", "1-rc1"],
        ["1.01", "1.1"],
        ["", "0"],
    ] {
        let [one, other] = row.map(Version::parse);
        assert!(one.cmp(&other).is_eq(), "{one:?} = {other:?}");
    }
}

#[test]
fn ranges_hold_what_lies_inside() {
    for (range, inside, outside) in [
        ("[1,2)", "1", "2"),
        ("[1,2)", "2-beta", "3"),
        ("(1,2]", "2", "1"),
        ("(,2]", "0.1", "2.1"),
        ("[1,)", "99", "0.9"),
        ("[1]", "1.0", "1.1"),
        ("[1.1.*]", "1.1.7", "1.2"),
        ("[1,2),[3,4)", "3.5", "2.5"),
    ] {
        let constraint = Constraint::parse(range).unwrap();
        assert!(constraint.is_hard() && constraint.admits(&Version::parse(inside)), "{inside} in {range}");
        assert!(!constraint.admits(&Version::parse(outside)), "{outside} in {range}");
    }
    for wrong in ["[1", "(1)", "[2,1]", "[1,2,3]", "[1,2] or so"] {
        assert!(Constraint::parse(wrong).is_err(), "{wrong}");
    }
    assert!(!Constraint::parse("1.0").unwrap().is_hard());
}

proptest::proptest! {
    /// Any three versions: the order is the same from both sides, and equal ones stand alike towards others.
    #[test]
    fn the_order_is_consistent(one in "[0-9]{1,2}(\\.[0-9]{1,2}){0,2}(-(alpha|beta|rc|SNAPSHOT)[0-9]?)?", other in "[0-9]{1,2}(\\.[0-9]{1,2}){0,2}(-(alpha|beta|rc|SNAPSHOT)[0-9]?)?", third in "[0-9]{1,2}(\\.[0-9]{1,2}){0,2}(-(alpha|beta|rc|SNAPSHOT)[0-9]?)?") {
        let [one, other, third] = [one, other, third].map(Version::parse);
        proptest::prop_assert_eq!(one.cmp(&other), other.cmp(&one).reverse());
        if one <= other && other <= third {
            proptest::prop_assert!(one <= third, "{} <= {} <= {}", one, other, third);
        }
    }
}
