//! Maven versions and their order.
//!
//! The order is that of Maven Resolver's `GenericVersion` (1.9, which Maven 3.9 uses): a version is cut into tokens at `.`,
//! `-`, `_` and wherever digits meet letters. Tokens are numbers, known qualifiers (`alpha` < `beta` < `milestone` < `rc` =
//! `cr` < `snapshot` < nothing = `ga` = `final` = `release` < `sp`) or other words, which come after the known ones and before
//! numbers. Trailing zeros and `ga`s do not count.

mod range;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

pub(super) use self::range::{Constraint, InvalidConstraint};

/// A version, as written, with its tokens.
#[derive(Clone)]
pub(super) struct Version {
    text: Arc<str>,
    items: Arc<[Item]>,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// `min` at the very end: below everything.
    Min,
    /// A qualifier with a known rank; 0 is the release itself.
    Qualifier(i8),
    /// Another word, in lower case.
    Word(Box<str>),
    /// Digits without leading zeros; `0` for zero and for an empty token.
    Number(Box<str>),
    /// `max` at the very end: above everything.
    Max,
}

impl Item {
    /// `GenericVersion.Item.isNumber`, which counts the two ends of the order as numbers.
    fn is_number(&self) -> bool {
        !matches!(self, Self::Qualifier(_) | Self::Word(_))
    }

    /// The order of kinds; within numbers the value decides.
    fn kind(&self) -> u8 {
        match self {
            Self::Min => 0,
            Self::Qualifier(_) => 2,
            Self::Word(_) => 3,
            Self::Number(_) => 4,
            Self::Max => 8,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Qualifier(one), Self::Qualifier(two)) => one.cmp(two),
            (Self::Word(one), Self::Word(two)) => one.cmp(two),
            (Self::Number(one), Self::Number(two)) => one.len().cmp(&two.len()).then_with(|| one.cmp(two)),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    /// The order against nothing: a missing token is `0` or `ga`.
    fn compare_to_nothing(&self) -> Ordering {
        match self {
            Self::Min => Ordering::Less,
            Self::Qualifier(rank) => rank.cmp(&0),
            Self::Number(digits) if **digits == *"0" => Ordering::Equal,
            Self::Word(_) | Self::Number(_) | Self::Max => Ordering::Greater,
        }
    }
}

impl Version {
    /// Reads a version; every text is one.
    pub(super) fn parse(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let items = trim_padding(tokens(&text)).into();
        Self { text, items }
    }

    /// As it was written.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The same, shared.
    pub(super) fn text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }
}

/// `GenericVersion.Tokenizer`.
fn tokens(text: &str) -> Vec<Item> {
    let bytes = if text.is_empty() { b"0" } else { text.as_bytes() };
    let mut items = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let mut start = index;
        let mut end = bytes.len();
        // What the token is made of so far: nothing, letters, only zeros, digits.
        let mut state = State::Nothing;
        let mut ended_by_digit = false;
        while index < bytes.len() {
            let byte = bytes[index];
            if matches!(byte, b'.' | b'-' | b'_') {
                end = index;
                index += 1;
                break;
            }
            if byte.is_ascii_digit() {
                if state == State::Letters {
                    end = index;
                    ended_by_digit = true;
                    break;
                }
                if state == State::Zeros {
                    start += 1;
                }
                state = if state == State::Digits || byte != b'0' { State::Digits } else { State::Zeros };
            } else {
                if matches!(state, State::Zeros | State::Digits) {
                    end = index;
                    break;
                }
                state = State::Letters;
            }
            index += 1;
        }
        let token = String::from_utf8_lossy(&bytes[start..end]);
        items.push(if token.is_empty() {
            Item::Number("0".into())
        } else if state == State::Letters {
            word(&token, ended_by_digit, index >= bytes.len())
        } else {
            Item::Number(token.into())
        });
    }
    items
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Nothing,
    Letters,
    Zeros,
    Digits,
}

fn word(token: &str, ended_by_digit: bool, last: bool) -> Item {
    let word = token.to_lowercase();
    match word.as_str() {
        "min" if last => Item::Min,
        "max" if last => Item::Max,
        "a" if ended_by_digit => Item::Qualifier(-5),
        "b" if ended_by_digit => Item::Qualifier(-4),
        "m" if ended_by_digit => Item::Qualifier(-3),
        "alpha" => Item::Qualifier(-5),
        "beta" => Item::Qualifier(-4),
        "milestone" => Item::Qualifier(-3),
        "cr" | "rc" => Item::Qualifier(-2),
        "snapshot" => Item::Qualifier(-1),
        "ga" | "final" | "release" => Item::Qualifier(0),
        "sp" => Item::Qualifier(1),
        _ => Item::Word(word.into()),
    }
}

/// `GenericVersion.trimPadding`: zeros and `ga`s at the end of each run of numbers or words count for nothing.
fn trim_padding(mut items: Vec<Item>) -> Vec<Item> {
    let mut number = None;
    let mut end = items.len().wrapping_sub(1);
    for index in (1..items.len()).rev() {
        let is_number = items[index].is_number();
        if number != Some(is_number) {
            end = index;
            number = Some(is_number);
        }
        if end == index
            && (index == items.len() - 1 || items[index - 1].is_number() == is_number)
            && items[index].compare_to_nothing() == Ordering::Equal
        {
            items.remove(index);
            end -= 1;
        }
    }
    items
}

/// `GenericVersion.comparePadding` of resolver 1.9: tokens of the other kind are passed over, where earlier ones stopped.
fn compare_padding(items: &[Item], number: Option<bool>) -> Ordering {
    (items.iter().filter(|item| number.is_none_or(|number| number == item.is_number())))
        .map(Item::compare_to_nothing)
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let (these, those) = (&self.items, &other.items);
        let mut number = true;
        for index in 0.. {
            let (this, that) = match (these.get(index), those.get(index)) {
                (None, None) => break,
                (None, Some(_)) => return compare_padding(&those[index..], None).reverse(),
                (Some(_), None) => return compare_padding(&these[index..], None),
                (Some(this), Some(that)) => (this, that),
            };
            if this.is_number() != that.is_number() {
                return if index == 0 {
                    this.compare(that)
                } else if number == this.is_number() {
                    compare_padding(&these[index..], Some(number))
                } else {
                    compare_padding(&those[index..], Some(number)).reverse()
                };
            }
            let order = this.compare(that);
            if order.is_ne() {
                return order;
            }
            number = this.is_number();
        }
        Ordering::Equal
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Two spellings of the same version (`1` and `1.0`) are equal.
impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests;
