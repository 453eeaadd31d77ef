//! Archives that try to write elsewhere, fill the disk, or say one thing to one program and another
//! to the next, each with the checksum that its catalogue asks for. Each is refused with its reason,
//! and nothing is written.

use crate::support::{Log, catalogue_of, names, options};
use autogrow_fetch::{FetchError, How, Refusal, get};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::Path;
use tar::{EntryType, Header};

const FILE: u8 = b'0';
const FOLDER: u8 = b'5';

fn header(name: &[u8], kind: u8, size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_entry_type(EntryType::new(kind));
    header.set_size(size as u64);
    header.set_cksum();
    header
}

/// An archive that grows.
struct Tar(Vec<u8>);

impl Tar {
    /// One that begins with what the set needs.
    fn new() -> Self {
        Self(Vec::new()).member(b"top/file.bin", FILE, b"good")
    }

    fn header(mut self, header: &Header) -> Self {
        self.0.extend(header.as_bytes());
        self
    }

    fn member(self, name: &[u8], kind: u8, data: &[u8]) -> Self {
        let mut tar = self.header(&header(name, kind, data.len()));
        tar.0.extend(data);
        tar.0.resize(tar.0.len().next_multiple_of(512), 0);
        tar
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Every path below a folder, and what the files hold.
fn snapshot(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            found.extend(snapshot(&path));
        }
        found.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
    }
    found
}

/// Unpacks a `.tar.gz` as users do. What is refused leaves everything as it was.
fn unpack_packed(archive: &[u8]) -> Result<(), FetchError> {
    let outer = tempfile::tempdir().unwrap();
    let (base, from) = (outer.path().join("base"), outer.path().join("from"));
    [&base, &from].into_iter().for_each(|folder| fs::create_dir(folder).unwrap());
    fs::write(from.join("set.tar.gz"), archive).unwrap();
    fs::write(outer.path().join("harm"), "as it was").unwrap();
    let before = snapshot(outer.path());
    let unpacks = "unpacks = { folder = 'top', at_most = 100_000 }";
    let catalogue = catalogue_of("set.tar.gz", archive, &["http://set.example"], true, unpacks);
    let mut options = options(&base);
    options.from = Some(from);
    let outcomes = get(&catalogue, &["set"], &options, &mut Log::default());
    match &outcomes {
        Ok(outcomes) => {
            assert_eq!(outcomes[0].how, How::Fetched);
            assert_eq!(fs::read(outer.path().join("harm")).unwrap(), b"as it was");
            assert_eq!((names(outer.path()).len(), names(&base)), (3, vec!["set".to_string()]));
        }
        Err(_) => assert_eq!(snapshot(outer.path()), before),
    }
    outcomes.map(drop)
}

fn unpack(archive: &[u8]) -> Result<(), FetchError> {
    unpack_packed(&gzip(archive))
}

/// The reason for which an archive is refused.
#[track_caller]
fn refused(archive: &[u8]) -> Refusal {
    refusal(unpack(archive))
}

#[track_caller]
fn refusal(result: Result<(), FetchError>) -> Refusal {
    match result.unwrap_err() {
        FetchError::Refused { refusal, .. } => refusal,
        other => unreachable!("{other}"),
    }
}

/// The reason for which an archive with one more member is refused.
#[track_caller]
fn refused_member(name: &[u8], kind: u8) -> Refusal {
    refused(&Tar::new().member(name, kind, b"").end())
}

#[test]
fn a_good_archive_is_unpacked() {
    let archive = Tar::new()
        .member(b"./top/", FOLDER, b"")
        .member(b"./", FOLDER, b"")
        .member(b"top/empty", FILE, b"")
        .member(b"top/old", 0, b"before there were kinds")
        .member(b"top/more/deep", FILE, &[7; 5_000])
        .end();
    unpack(&archive).unwrap();
}

#[test]
fn paths_that_lead_elsewhere() {
    for name in ["/tmp/harm", "//tmp/harm", "../harm", "top/../../harm", "..", "./../harm"] {
        for kind in [FILE, FOLDER] {
            assert_eq!(refused_member(name.as_bytes(), kind), Refusal::LeadsOut(name.into()));
        }
    }
    for prefix in ["..", "/tmp"] {
        let mut header = header(b"harm", FILE, 0);
        header.as_ustar_mut().unwrap().prefix[..prefix.len()].copy_from_slice(prefix.as_bytes());
        header.set_cksum();
        let name = format!("{prefix}/harm");
        assert_eq!(refused(&Tar::new().header(&header).end()), Refusal::LeadsOut(name));
    }
    // What a terminal would obey is shown.
    let expected = "`../\\u{1b}[2J` leads out of the folder";
    assert_eq!(refused_member(b"../\x1b[2J", FILE).to_string(), expected);
}

#[test]
fn what_is_neither_file_nor_folder() {
    // Links, devices, pipes, sparse files, labels, what describes another member.
    for kind in *b"123467DMVSLKxg" {
        let mut header = header(b"top/l", kind, 0);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        let archive = Tar::new().header(&header).member(b"top/x", FILE, b"harm").end();
        assert_eq!(refused(&archive), Refusal::Kind("top/l".into()), "{}", char::from(kind));
    }
    // The second member would be written through the first.
    let mut link = header(b"top/l", b'2', 0);
    link.set_link_name("..").unwrap();
    link.set_cksum();
    let archive = Tar::new().header(&link).member(b"top/l/harm", FILE, b"harm").end();
    assert_eq!(refused(&archive), Refusal::Kind("top/l".into()));
}

#[test]
fn members_in_the_way_of_each_other() {
    for (name, kind) in [
        (&b"top/file.bin"[..], FILE),
        (b"./top/file.bin", FILE),
        (b"top", FILE),
        (b"", FILE),
        (b"top/file.bin", FOLDER),
        (b"top/file.bin/x", FILE),
    ] {
        unpack(&Tar::new().member(name, kind, b"").end()).unwrap_err();
    }
}

#[test]
fn bombs() {
    let archive = Tar::new().member(b"top/x", FILE, &vec![1; 100_000]).end();
    assert_eq!(refused(&archive), Refusal::Bytes(100_000));
    for size in [1 << 40, usize::MAX / 2] {
        for kind in [FILE, FOLDER, b'L', b'x'] {
            let archive = Tar::new().header(&header(b"top/x", kind, size)).end();
            assert_eq!(refused(&archive), Refusal::Bytes(100_000));
        }
    }
    let mut tar = Tar::new();
    for _ in 0..1_000 {
        tar = tar.member(b"top", FOLDER, b"");
    }
    assert_eq!(refused(&tar.end()), Refusal::Members(1_000));
}

#[test]
fn cut_short() {
    let whole = Tar::new().member(b"top/x", FILE, &[1; 700]).end();
    assert_eq!(refused(&whole[..0]), Refusal::Lacks("file.bin".into()));
    for length in [512, 514] {
        assert_eq!(refused(&whole[..length]), Refusal::Lacks("top/file.bin".into()));
    }
    assert_eq!(refused(&whole[..2_000]), Refusal::Lacks("top/x".into()));
    assert!(matches!(refused(&whole[..1_500]), Refusal::Damaged(_)));
    let packed = gzip(&whole);
    for length in 0..packed.len() / 2 {
        assert!(matches!(refusal(unpack_packed(&packed[..length])), Refusal::Damaged(_)));
    }
}

#[test]
fn damage() {
    let archive = Tar::new().end();
    for at in [0, 50, 100, 124, 156, 257, 345, 511] {
        let mut damaged = archive.clone();
        damaged[at] ^= 1;
        assert!(matches!(refused(&damaged), Refusal::Damaged(_)), "{at}");
    }
    let page = b"<html><body>Please log in first.</body></html>".repeat(20);
    assert!(matches!(refused(&page), Refusal::Damaged(_)));
    for other in [page, archive] {
        assert!(matches!(refusal(unpack_packed(&other)), Refusal::Damaged(_)));
    }
}

#[test]
fn an_archive_of_something_else() {
    for archive in [
        Tar(Vec::new()).end(),
        Tar(Vec::new()).member(b"file.bin", FILE, b"good").end(),
        Tar(Vec::new()).member(b"top/other.bin", FILE, b"good").end(),
        Tar(Vec::new()).member(b"top/file.bin", FILE, b"").end(),
        Tar(Vec::new()).member(b"top/more/file.bin", FILE, b"good").end(),
    ] {
        assert_eq!(refused(&archive), Refusal::Lacks("file.bin".into()));
    }
}

/// What `fixtures/hostile.py` wrote with Python's tarfile.
#[test]
fn archives_of_another_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    let found = names(&folder);
    assert_eq!(found.len(), 14);
    for name in found {
        let result = unpack_packed(&fs::read(folder.join(&name)).unwrap());
        let is_as_expected = match name.trim_end_matches(".tar.gz") {
            "good-gnu" | "good-ustar" => result.is_ok(),
            "file-and-folder" => matches!(result, Err(FetchError::Io { .. })),
            "absolute" | "leads-out" | "leads-out-by-prefix" => {
                matches!(refusal(result), Refusal::LeadsOut(_))
            }
            _ => matches!(refusal(result), Refusal::Kind(_)),
        };
        assert!(is_as_expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_damage_is_refused_or_harmless(
        damage in prop::collection::vec((0..4_096_usize, any::<u8>()), 1..6),
        sign: bool,
    ) {
        let mut archive = Tar::new()
            .member(b"top/more/", FOLDER, b"")
            .member(b"top/more/x", FILE, b"content")
            .end();
        for (at, byte) in damage {
            let at = at % archive.len();
            archive[at] = byte;
        }
        if sign {
            // Otherwise hardly anything gets beyond the checksum.
            for start in [0, 1024, 1536] {
                let mut header = Header::from_byte_slice(&archive[start..start + 512]).clone();
                header.set_cksum();
                archive[start..start + 512].copy_from_slice(header.as_bytes());
            }
        }
        let _ = unpack(&archive);
    }
}
