//! What is wrong with a file is said with its place and size.

use super::*;
use crate::testing::gzip;

fn problem<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn plain_and_compressed_read_the_same() {
    let content = [1, 2, 3, 4, 5, 6];
    for bytes in [content.to_vec(), gzip(&content)] {
        let mut input = Input::embedded("x", &bytes);
        assert_eq!(input.u32_be("a number").unwrap(), 0x0102_0304);
        assert_eq!(input.bytes(2, "the rest").unwrap(), [5, 6]);
        input.end().unwrap();
    }
}

#[test]
fn what_is_missing_or_too_much_is_counted() {
    let content = [0; 10];
    let mut plain = Input::embedded("x", &content);
    plain.bytes(4, "a head").unwrap();
    assert_eq!(problem(plain.end()), "x: 6 bytes of trailing garbage from offset 4");
    assert_eq!(
        problem(plain.bytes(7, "a body")),
        "x: truncated: 2 of 7 bytes of a body (from offset 5) are missing"
    );
    let packed = gzip(&content);
    let mut input = Input::embedded("x", &packed);
    input.bytes(4, "a head").unwrap();
    assert_eq!(problem(input.end()), "x: trailing garbage from offset 4");
}

#[test]
fn broken_gzip_is_recognised() {
    let whole = gzip(&[7; 1_000]);
    let mut checksum = whole.clone();
    let at = checksum.len() - 6;
    checksum[at] ^= 1;
    let mut behind = whole.clone();
    behind.extend([7; 20]);
    for (bytes, expected) in [
        (&whole[..whole.len() - 9], "x: truncated: the gzip data end at"),
        (&checksum, "x: broken gzip at offset 1000: "),
        (&behind, "x: broken gzip at offset 1000: "),
    ] {
        let found = problem(Input::embedded("x", bytes).rest(2_000));
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn no_more_is_unpacked_than_asked_for() {
    let bomb = gzip(&vec![0; 50 << 20]);
    let mut input = Input::embedded("x", &bomb);
    let bytes = input.bytes(1_000, "a body").unwrap();
    assert!(bytes.capacity() < 2_000);
    assert_eq!(problem(input.end()), "x: trailing garbage from offset 1000");
    // Nor is memory taken that the file cannot fill.
    let tiny = [0; 8];
    let mut input = Input::embedded("x", &tiny);
    assert_eq!(
        problem(input.bytes(u64::MAX, "a body")),
        "x: truncated: 18446744073709551607 of 18446744073709551615 bytes of a body (from \
         offset 0) are missing"
    );
}

#[test]
fn packed_content_is_refused_beyond_a_bound_and_plain_content_is_not() {
    let content = [7; 5_000];
    let packed = gzip(&content);
    for (bytes, most) in [(&packed[..], 5_000), (&content[..], 10)] {
        assert_eq!(Input::bounded("x", bytes, most).rest(u64::MAX).unwrap(), content);
    }
    let mut input = Input::bounded("x", &packed, 4_999);
    assert_eq!(input.bytes(4_000, "a head").unwrap(), content[..4_000]);
    let error = input.rest(u64::MAX).unwrap_err();
    assert!(error.problem.starts_with("unpacks to more than 4999 bytes at offset 4"), "{error}");
    assert!(error.hint.unwrap().contains("store it without compression"));
}

#[test]
fn a_folder_is_not_a_file() {
    let folder = tempfile::tempdir().unwrap();
    assert!(problem(Input::open(folder.path())).ends_with(": is not a file"));
    let missing = problem(Input::open(&folder.path().join("x")));
    assert!(missing.contains("cannot be read"), "{missing}");
}
