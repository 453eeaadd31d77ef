//! Archives are walked as Python's `tarfile` walks them; damaged ones are refused.

use super::*;
use crate::testing::{damaged, expected, fixture, problem};
use std::fs;

type Files = Vec<(String, u64, u64)>;

fn walk(archive: &[u8], within: Range<u64>) -> Result<Files> {
    let mut files = Vec::new();
    members(Path::new("a.tar"), archive, within, |member| {
        files.push((member.name.to_string(), member.offset, member.length));
        Ok(())
    })?;
    Ok(files)
}

fn whole(archive: &[u8]) -> Result<Files> {
    walk(archive, 0..archive.len() as u64)
}

fn read(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

fn written(name: &str) -> Files {
    let files = &expected()["archives"][name];
    let number = |value: &serde_json::Value| value.as_u64().unwrap();
    let file = |file: &serde_json::Value| {
        (file[0].as_str().unwrap().to_string(), number(&file[1]), number(&file[2]))
    };
    files.as_array().unwrap().iter().map(file).collect()
}

const NAMES: [&str; 4] = ["ustar.tar", "gnu.tar", "pax.tar", "train.tar"];

#[test]
fn names_places_and_lengths_are_those_that_tarfile_finds() {
    for name in NAMES {
        assert_eq!(whole(&read(name)).unwrap(), written(name), "{name}");
        let path = fixture(name);
        let file = fs::File::open(&path).unwrap();
        let mut count = 0;
        let length = file.metadata().unwrap().len();
        members(&path, &file, 0..length, |_| {
            count += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(count, written(name).len());
    }
}

#[test]
fn archives_within_an_archive_are_walked_in_their_place() {
    let archive = read("train.tar");
    for (class, start, length) in whole(&archive).unwrap() {
        let inner = written(&class);
        let found = walk(&archive, start..start + length).unwrap();
        assert_eq!(found.len(), 3);
        for ((name, offset, length), expected) in found.into_iter().zip(inner) {
            assert_eq!((name, offset - start, length), expected);
        }
    }
}

#[test]
fn cut_short_anywhere_is_an_error_until_all_is_there() {
    for name in NAMES {
        let archive = read(name);
        let files = whole(&archive).unwrap();
        let (_, offset, length) = files.last().unwrap();
        let end = (offset + length).next_multiple_of(BLOCK) + 2 * BLOCK;
        for cut in 0..archive.len() {
            match walk(&archive[..cut], 0..cut as u64) {
                Ok(found) => assert!(cut as u64 >= end && found == files, "{name} {cut}"),
                Err(error) => {
                    assert!((cut as u64) < end, "{name} {cut}: {error}");
                    assert!(error.problem.contains("offset "), "{error}");
                }
            }
        }
    }
}

#[test]
fn random_damage_is_an_error_or_in_the_contents_never_a_panic() {
    for name in NAMES {
        let archive = read(name);
        for round in 0..10_000 {
            let bytes = damaged(&archive, archive.len(), round);
            for (_, offset, length) in whole(&bytes).unwrap_or_default() {
                assert!(offset + length <= bytes.len() as u64);
            }
        }
    }
}

#[test]
fn damage_is_named_with_its_offset() {
    let archive = read("ustar.tar");
    let changed = |at: usize, value: u8| {
        let mut bytes = archive.clone();
        bytes[at] = value;
        problem(whole(&bytes))
    };
    let (found, hint) = changed(512, b'X');
    assert_eq!(found, "offset 512: archive header checksum mismatch");
    assert!(hint.contains("get it again"));
    let (_, offset, length) = whole(&archive).unwrap().pop().unwrap();
    let end = (offset + length).next_multiple_of(BLOCK);
    let found = changed(end as usize + 600, 1).0;
    assert_eq!(found, format!("offset {end}: a single block of zeros"));
    let found = problem(walk(&archive, 0..offset + 3)).0;
    let missing = length - 3;
    let expected =
        format!("truncated: {missing} of {length} bytes of a member (from offset {offset})");
    assert!(found.starts_with(&expected), "{found}");
}

/// An archive of attributes, or a long name, and the file that they are about.
fn described(kind: u8, said: &[u8]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, kind, content) in [("said", kind, said), ("file", b'0', &b"x"[..])] {
        let mut header = tar::Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(tar::EntryType::new(kind));
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn what_is_said_of_a_member_is_understood_or_refused() {
    let name = |said: &[u8]| whole(&described(b'x', said)).unwrap()[0].0.clone();
    assert_eq!(name(b"12 path=new\n"), "new");
    assert_eq!(name(b"13 other=old\n"), "file");
    let (found, _) = problem(whole(&described(b'x', b"99 path=new\n")));
    assert_eq!(found, "offset 0: malformed pax extension");
    let (found, _) = problem(whole(&described(b'S', b"")));
    assert!(found.starts_with("offset 0: "), "{found}");
    let (found, _) = problem(whole(&described(b'Z', b"")));
    assert_eq!(found, "offset 0: a member of the unknown type `Z`");
}

#[test]
fn memory_is_not_taken_for_names_that_are_too_long() {
    for kind in [b'L', b'K', b'x', b'g'] {
        let longest = [b'n'; 64 << 10];
        if kind == b'L' {
            assert_eq!(whole(&described(kind, &longest)).unwrap()[0].0.len(), longest.len());
        }
        let (found, _) = problem(whole(&described(kind, &[b'n'; 10 << 20])));
        assert_eq!(found, "offset 0: too many attributes of a member");
    }
}
