#![allow(clippy::unwrap_used)]

use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::*;

/// `length` bytes that no compressor shrinks (xorshift64*).
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn text(length: usize) -> Vec<u8> {
    b"The quick brown fox jumps over the lazy dog. ".iter().copied().cycle().take(length).collect()
}

fn gzip(input: &[u8], write: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut gzip = Box::new(Gzip::new(&mut out).unwrap());
    for part in input.chunks(write) {
        gzip.write_all(part).unwrap();
    }
    gzip.end().unwrap();
    out
}

fn gunzip(compressed: &[u8]) -> Vec<u8> {
    let mut decoder = GzDecoder::new(compressed);
    let mut plain = Vec::new();
    decoder.read_to_end(&mut plain).unwrap();
    assert!(decoder.into_inner().is_empty(), "one member, nothing behind it");
    plain
}

#[test]
fn jars_are_stored_and_text_is_deflated() {
    assert!(!compressible(&noise(SLICE, 1)));
    assert!(compressible(&text(SLICE)));
    assert!(compressible(&vec![0; SLICE]));
    assert!(!compressible(&[]));

    let stored = noise(1 << 20, 2);
    let overhead = gzip(&stored, 4096).len() - stored.len();
    assert!(overhead < 200, "{overhead} bytes over {}", stored.len());
    let deflated = gzip(&text(1 << 20), 4096).len();
    assert!(deflated < 20_000, "{deflated}");
}

#[test]
fn kinds_may_alternate() {
    let mut input = Vec::new();
    for round in 0..7 {
        input.extend(noise(SLICE + 1000 * round, round as u64));
        input.extend(text(3 * SLICE / 2 - 7));
    }
    assert_eq!(gunzip(&gzip(&input, 10_000)), input);
}

/// The bytes of a fixed input, so that a new version of the deflater cannot change layer digests unnoticed.
#[test]
fn golden() {
    let input = [noise(100_000, 7), text(200_000), noise(70_000, 8)].concat();
    let digest = crate::digest::Digest::of(&gzip(&input, 4096));
    insta::assert_snapshot!(digest, @"sha256:c19fcc67ddc8f98d610887baa1aae73a1d5b3e89271267f10aa3ba8afb27679c");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_input_round_trips_however_it_is_written(
        parts in proptest::collection::vec((0..200_000_usize, any::<bool>(), any::<u64>()), 0..5),
        write in 1..300_000_usize,
    ) {
        let input: Vec<u8> = parts
            .into_iter()
            .flat_map(|(length, random, seed)| if random { noise(length, seed) } else { text(length) })
            .collect();
        let compressed = gzip(&input, write);
        prop_assert_eq!(&compressed, &gzip(&input, SLICE + 17));
        prop_assert_eq!(gunzip(&compressed), input);
    }
}
