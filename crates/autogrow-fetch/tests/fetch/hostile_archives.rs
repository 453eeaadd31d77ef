//! Archives that try to write elsewhere, fill the disk or the memory, or say one thing to one
//! program and another to the next. Each is refused with its reason, and nothing is written.

use crate::support::{Log, catalogue_of, names, options};
use autogrow_fetch::unpack::{Limits, Reason, check};
use autogrow_fetch::{FetchError, How, get};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::Path;

const LIMITS: Limits = Limits { bytes: 100_000, members: 50 };
const FILE: u8 = b'0';
const FOLDER: u8 = b'5';

/// A header of 512 bytes, byte by byte.
struct Header([u8; 512]);

impl Header {
    fn new(name: &[u8], kind: u8, size: usize) -> Self {
        let mut header = Self([0; 512]);
        header.put(0, name);
        header.put(100, b"0000644\0");
        header.put(108, b"0000000\0");
        header.put(116, b"0000000\0");
        header.put(124, format!("{size:011o}\0").as_bytes());
        header.put(136, b"00000000000\0");
        header.0[156] = kind;
        header.put(257, b"ustar\x0000");
        header.sign();
        header
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The same with other bytes, and the checksum that goes with them.
    fn with(mut self, at: usize, bytes: &[u8]) -> Self {
        self.put(at, bytes);
        self.sign();
        self
    }

    /// As GNU's programs write it.
    fn gnu(self) -> Self {
        self.with(257, b"ustar  \0")
    }

    fn sign(&mut self) {
        self.put(148, b"        ");
        let sum: u32 = self.0.iter().map(|&byte| u32::from(byte)).sum();
        self.put(148, format!("{sum:06o}\0 ").as_bytes());
    }
}

/// An archive that grows.
#[derive(Clone)]
struct Tar(Vec<u8>);

impl Tar {
    /// One that begins with what the set needs.
    fn new() -> Self {
        Self(Vec::new()).member(b"top/file.bin", FILE, b"good")
    }

    fn header(mut self, header: &Header) -> Self {
        self.0.extend(header.0);
        self
    }

    fn data(mut self, data: &[u8]) -> Self {
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn member(self, name: &[u8], kind: u8, data: &[u8]) -> Self {
        self.header(&Header::new(name, kind, data.len())).data(data)
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

/// Unpacks an archive as users do. What is refused leaves everything as it was.
fn unpack(archive: &[u8]) -> Result<(), Reason> {
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
    match get(&catalogue, &["set"], &options, &mut Log::default()) {
        Ok(outcomes) => {
            assert_eq!(outcomes[0].how, How::Fetched);
            assert_eq!(fs::read(base.join("set/file.bin")).unwrap(), b"good");
            assert_eq!(names(&base), ["set"]);
            Ok(())
        }
        Err(FetchError::Refused { refusal, .. }) => {
            assert_eq!(snapshot(outer.path()), before);
            Err(refusal.reason)
        }
        Err(other) => unreachable!("{other}"),
    }
}

/// The reason for which an archive is refused, plain and compressed, listed and unpacked.
#[track_caller]
fn refused(archive: &[u8]) -> Reason {
    let reason = unpack(archive).unwrap_err();
    assert_eq!(unpack(&gzip(archive)), Err(reason.clone()));
    for archive in [archive, &gzip(archive)] {
        assert_eq!(check(archive, &LIMITS).unwrap_err().reason, reason);
    }
    reason
}

/// The reason for which an archive with one more member is refused.
#[track_caller]
fn refused_member(name: &[u8], kind: u8) -> Reason {
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
    assert_eq!(unpack(&archive), Ok(()));
    assert_eq!(unpack(&gzip(&archive)), Ok(()));
    let members = check(&archive[..], &LIMITS).unwrap();
    let sizes: Vec<_> = members.iter().map(|member| (&*member.path, member.bytes)).collect();
    let expected = [
        ("top/file.bin", Some(4)),
        ("top", None),
        ("top/empty", Some(0)),
        ("top/old", Some(23)),
        ("top/more/deep", Some(5_000)),
    ];
    assert_eq!(sizes, expected);
}

#[test]
fn paths_that_lead_elsewhere() {
    for absolute in [&b"/tmp/harm"[..], b"//tmp/harm"] {
        assert_eq!(refused_member(absolute, FILE), Reason::Absolute);
    }
    for out in [&b"../harm"[..], b"top/../../harm", b"..", b"./../harm", b"top/.."] {
        assert_eq!(refused_member(out, FILE), Reason::LeadsOut);
        assert_eq!(refused_member(out, FOLDER), Reason::LeadsOut);
    }
    let prefix = |prefix: &[u8]| {
        let header = Header::new(b"harm", FILE, 0).with(345, prefix);
        refused(&Tar::new().header(&header).end())
    };
    assert_eq!(prefix(b".."), Reason::LeadsOut);
    assert_eq!(prefix(b"/tmp"), Reason::Absolute);
}

#[test]
fn names_that_are_another_thing_elsewhere() {
    for windows in [&b"C:/harm"[..], b"c:harm", b"..\\harm", b"\\\\server\\share\\harm"] {
        assert_eq!(refused_member(windows, FILE), Reason::Windows);
    }
    for windows in [&b"top/NUL"[..], b"top/com1.bin", b"top/x.", b"top/x ", b"top/x:y"] {
        assert_eq!(refused_member(windows, FILE), Reason::Windows);
    }
    assert_eq!(refused_member(b"top/x\0/../../harm", FILE), Reason::Nul);
    let header = Header::new(b"harm", FILE, 0).with(345, b"top\0/../..");
    assert_eq!(refused(&Tar::new().header(&header).end()), Reason::Nul);
    assert_eq!(refused_member(b"top/x\x1b[2J", FILE), Reason::NotAscii);
    assert_eq!(refused_member(b"top/\xff", FILE), Reason::NotAscii);
    assert_eq!(refused_member("top/e\u{301}".as_bytes(), FILE), Reason::NotAscii);
    assert_eq!(refused_member(b"", FILE), Reason::Nameless);
    assert_eq!(refused_member(b"./.", FILE), Reason::Nameless);
    assert_eq!(refused_member(b"top//x", FILE), Reason::EmptyName);
    let long = Header::new(&[b'a'; 100], FILE, 0).with(345, &[b'b'; 150]);
    assert_eq!(refused(&Tar::new().header(&long).end()), Reason::LongPath(200));
    assert_eq!(refused_member(&b"a/".repeat(40), FOLDER), Reason::Deep(16));
}

#[test]
fn what_is_neither_file_nor_folder() {
    for (kind, what) in [
        (b'1', "a hard link"),
        (b'2', "a symbolic link"),
        (b'3', "a device"),
        (b'4', "a device"),
        (b'6', "a pipe"),
        (b'7', "of an unknown kind"),
        (b'D', "of an unknown kind"),
        (b'M', "of an unknown kind"),
        (b'V', "of an unknown kind"),
    ] {
        let header = Header::new(b"top/l", kind, 0).with(157, b"/etc/passwd");
        assert_eq!(refused(&Tar::new().header(&header).end()), Reason::Kind(what));
    }
    // The second member would be written through the first.
    let link = Header::new(b"top/l", b'2', 0).with(157, b"..");
    let archive = Tar::new().header(&link).member(b"top/l/harm", FILE, b"harm").end();
    assert_eq!(refused(&archive), Reason::Kind("a symbolic link"));
}

#[test]
fn members_that_describe_others() {
    let harm = |tar: Tar| tar.member(b"top/x", FILE, b"harm").end();
    let long = Header::new(b"././@LongLink", b'L', 8).gnu();
    let archive = harm(Tar::new().header(&long).data(b"../harm\0"));
    assert_eq!(refused(&archive), Reason::Kind("a long name for another member"));
    let long = Header::new(b"././@LongLink", b'K', 8).gnu();
    let archive = harm(Tar::new().header(&long).data(b"../harm\0"));
    assert_eq!(refused(&archive), Reason::Kind("a long name for another member"));
    for (kind, text) in [(b'x', &b"16 path=../harm\n"[..]), (b'g', b"16 path=../harm\n")] {
        let archive = harm(Tar::new().member(b"PaxHeaders/x", kind, text));
        assert_eq!(refused(&archive), Reason::Kind("a PAX header for other members"));
    }
    // One that says that the next has no content, so that its content would be read as headers.
    let inner = Header::new(b"../harm", FILE, 0);
    let archive = Tar::new()
        .member(b"PaxHeaders/x", b'x', b"10 size=0\n")
        .member(b"top/x", FILE, &inner.0)
        .end();
    assert_eq!(refused(&archive), Reason::Kind("a PAX header for other members"));
}

#[test]
fn sparse_files() {
    // A file of 8 GiB that takes one block of the archive.
    let header = Header::new(b"top/x", b'S', 512)
        .gnu()
        .with(386, b"00000000000\x0000000001000\0")
        .with(483, b"77777777777\0");
    let archive = Tar::new().header(&header).data(&[1; 512]).end();
    assert_eq!(refused(&archive), Reason::Kind("a sparse file"));
}

#[test]
fn two_members_of_one_name() {
    for again in [&b"top/file.bin"[..], b"./top/file.bin", b"TOP/File.bin"] {
        assert_eq!(refused_member(again, FILE), Reason::Twice);
    }
    assert_eq!(refused_member(b"top/file.bin", FOLDER), Reason::FileAndFolder);
    assert_eq!(refused_member(b"top/file.bin/x", FILE), Reason::FileAndFolder);
    assert_eq!(refused_member(b"Top", FILE), Reason::FileAndFolder);
    let archive = Tar::new().member(b"top/x/", FILE, b"content").end();
    assert_eq!(refused(&archive), Reason::FullFolder(7));
    let archive = Tar::new().member(b"top/x", FOLDER, b"content").end();
    assert_eq!(refused(&archive), Reason::FullFolder(7));
}

#[test]
fn bombs() {
    // More than the set has, announced.
    let archive = Tar::new().member(b"top/x", FILE, &vec![1; 100_000]).end();
    assert_eq!(refused(&archive), Reason::Bytes(100_000));
    for size in [&b"77777777777\0"[..], b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"] {
        let header = Header::new(b"top/x", FILE, 0).with(124, size);
        assert_eq!(refused(&Tar::new().header(&header).end()), Reason::Bytes(100_000));
    }
    // Zeros after the end.
    let mut archive = Tar::new().end();
    archive.resize(20_000_000, 0);
    assert_eq!(refused_plain(&archive), Reason::Bytes(100_000));
    assert_eq!(unpack(&gzip(&archive)), Err(Reason::Ratio(100)));
    // Compressed more than data can be, although the set would have the room.
    let archive = gzip(&Tar::new().member(b"top/x", FILE, &vec![0; 50_000_000]).end());
    let limits = Limits { bytes: 100_000_000, members: 50 };
    assert_eq!(check(&archive[..], &limits).unwrap_err().reason, Reason::Ratio(100));
    // Names alone.
    let mut tar = Tar::new();
    for number in 0..60 {
        tar = tar.member(format!("top/{number}").as_bytes(), FILE, b"");
    }
    assert_eq!(check(&tar.end()[..], &LIMITS).unwrap_err().reason, Reason::Members(50));
}

/// As [`refused`], without compressing.
#[track_caller]
fn refused_plain(archive: &[u8]) -> Reason {
    let reason = unpack(archive).unwrap_err();
    assert_eq!(check(archive, &LIMITS).unwrap_err().reason, reason);
    reason
}

#[test]
fn cut_short_anywhere() {
    let whole = Tar::new().member(b"top/x", FILE, &[1; 700]).end();
    let content = whole.len() - 1024;
    for length in 0..=content {
        let reason = check(&whole[..length], &LIMITS).unwrap_err().reason;
        assert_eq!(reason, Reason::Truncated, "{length}");
    }
    for length in [0, 1, 511, 512, 700, 1024, 1536, content] {
        assert_eq!(refused(&whole[..length]), Reason::Truncated, "{length}");
    }
    let packed = gzip(&whole);
    for length in 2..packed.len() {
        let reason = check(&packed[..length], &LIMITS).unwrap_err().reason;
        assert_eq!(reason, Reason::Truncated, "{length}");
    }
}

#[test]
fn what_follows_the_end() {
    let end = Tar::new().end();
    let hidden = Tar(end.clone()).member(b"../harm", FILE, b"harm").end();
    assert_eq!(refused(&hidden), Reason::AfterEnd);
    let garbage = [end.clone(), vec![0; 700], b"x".to_vec()].concat();
    assert_eq!(refused(&garbage), Reason::AfterEnd);
    let padded = [end.clone(), vec![0; 9_000]].concat();
    assert_eq!(unpack(&padded), Ok(()));
    for more in [gzip(&hidden), b"x".to_vec()] {
        let packed = [gzip(&end), more].concat();
        assert_eq!(refused_plain(&packed), Reason::AfterEnd);
    }
}

#[test]
fn damage() {
    let archive = Tar::new().end();
    for at in [0, 50, 100, 124, 156, 257, 345, 511] {
        let mut damaged = archive.clone();
        damaged[at] ^= 1;
        assert!(matches!(refused(&damaged), Reason::Header(_)), "{at}");
    }
    let header = Header::new(b"top/x", FILE, 0).with(124, b"no number!!\0");
    assert!(matches!(refused(&Tar::new().header(&header).end()), Reason::Header(_)));
    let mut packed = gzip(&archive);
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    assert!(matches!(refused_plain(&packed), Reason::Compression(_)));
    let page = b"<html><body>Please log in first.</body></html>".repeat(20);
    assert!(matches!(refused(&page), Reason::Header(_)));
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
        assert_eq!(unpack(&archive), Err(Reason::Lacks("file.bin".into())));
    }
}

#[test]
fn a_refusal_names_the_member_and_where_it_is() {
    let archive = Tar::new().member(b"../harm\x1b[2J", FILE, b"harm").end();
    let refusal = check(&archive[..], &LIMITS).unwrap_err();
    let expected =
        "member `../harm\\u{1b}[2J` at byte 1024: has a name that is not printable ASCII";
    assert_eq!(refusal.to_string(), expected);
}

/// What `fixtures/hostile.py` wrote with Python's tarfile.
#[test]
fn archives_of_another_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    let found = names(&folder);
    assert_eq!(found.len(), 17);
    for name in found {
        let expected = match name.trim_end_matches(".tar.gz") {
            "good-gnu" | "good-ustar" => Ok(()),
            "absolute" => Err(Reason::Absolute),
            "leads-out" | "leads-out-by-prefix" => Err(Reason::LeadsOut),
            "long-name" | "long-link" => Err(Reason::Kind("a long name for another member")),
            "pax-path" | "pax-size" => Err(Reason::Kind("a PAX header for other members")),
            "symbolic-link" => Err(Reason::Kind("a symbolic link")),
            "hard-link" => Err(Reason::Kind("a hard link")),
            "device" => Err(Reason::Kind("a device")),
            "pipe" => Err(Reason::Kind("a pipe")),
            "twice" => Err(Reason::Twice),
            "not-ascii" => Err(Reason::NotAscii),
            "windows" => Err(Reason::Windows),
            "file-and-folder" => Err(Reason::FileAndFolder),
            other => unreachable!("{other}"),
        };
        assert_eq!(unpack(&fs::read(folder.join(&name)).unwrap()), expected, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_damage_is_refused_or_harmless(
        damage in prop::collection::vec((0..4_096_usize, any::<u8>()), 1..6),
        sign: bool,
        pack: bool,
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
                let mut header = Header(archive[start..start + 512].try_into().unwrap());
                header.sign();
                archive[start..start + 512].copy_from_slice(&header.0);
            }
        }
        let archive = if pack { gzip(&archive) } else { archive };
        if let Ok(members) = check(&archive[..], &LIMITS) {
            let bytes: u64 = members.iter().filter_map(|member| member.bytes).sum();
            prop_assert!(members.len() <= LIMITS.members && bytes <= LIMITS.bytes);
            for member in members {
                let mut parts = Path::new(&member.path).components();
                let inside = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(parts.all(inside), "{}", member.path);
            }
        }
    }
}
