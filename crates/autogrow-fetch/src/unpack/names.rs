//! Which paths a member may have. The rules are the same on every system, so that an archive is
//! unpacked everywhere to the same files or nowhere.

use super::refusal::Reason;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Bytes of a path at most: less than any system in use can hold below a folder of data.
const LONGEST: usize = 200;
/// Folders in folders at most.
const DEEPEST: usize = 16;
/// What Windows takes for devices, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// The path that the bytes of a header spell, its names joined by `/`, without `.` and without a
/// slash at the end; empty for the folder itself.
///
/// # Errors
/// Why no member may have it.
pub(super) fn path(bytes: &[u8]) -> Result<String, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotAscii)?;
    if text.is_empty() {
        return Err(Reason::Nameless);
    }
    if text.contains('\0') {
        return Err(Reason::Nul);
    }
    // Other letters have several spellings, which are one file on some systems and two on others.
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(Reason::NotAscii);
    }
    if text.len() > LONGEST {
        return Err(Reason::LongPath(LONGEST));
    }
    if text.starts_with('/') {
        return Err(Reason::Absolute);
    }
    if text.contains(['\\', ':', '<', '>', '"', '|', '?', '*']) {
        return Err(Reason::Windows);
    }
    let mut names = Vec::new();
    for name in text.strip_suffix('/').unwrap_or(text).split('/') {
        match name {
            "" => return Err(Reason::EmptyName),
            "." => {}
            ".." => return Err(Reason::LeadsOut),
            name if name.ends_with(['.', ' ']) || is_device(name) => return Err(Reason::Windows),
            name => names.push(name),
        }
    }
    if names.len() > DEEPEST {
        return Err(Reason::Deep(DEEPEST));
    }
    Ok(names.join("/"))
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_lowercase();
    let port = stem.strip_prefix("com").or(stem.strip_prefix("lpt"));
    let numbered = port.is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9']));
    numbered || DEVICES.contains(&stem.as_str())
}

/// What a path was seen as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    File,
    /// A folder that members lie in.
    Implied,
    /// A folder that is a member itself.
    Folder,
}

/// The paths of an archive so far.
#[derive(Default)]
pub(super) struct Paths {
    /// In lower case, because some systems know no other.
    seen: HashMap<String, Seen>,
}

impl Paths {
    /// Adds a member.
    ///
    /// # Errors
    /// Where it cannot lie beside those before it.
    pub(super) fn add(&mut self, path: &str, is_folder: bool) -> Result<(), Reason> {
        let path = path.to_ascii_lowercase();
        for (slash, _) in path.match_indices('/') {
            let parent = self.seen.entry(path[..slash].to_string()).or_insert(Seen::Implied);
            if *parent == Seen::File {
                return Err(Reason::FileAndFolder);
            }
        }
        let now = if is_folder { Seen::Folder } else { Seen::File };
        match self.seen.entry(path) {
            Entry::Vacant(entry) => {
                entry.insert(now);
            }
            Entry::Occupied(mut entry) => match (*entry.get(), now) {
                (Seen::Implied, Seen::Folder) => {
                    entry.insert(now);
                }
                (before, now) if before == now => return Err(Reason::Twice),
                _ => return Err(Reason::FileAndFolder),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn good_paths_are_made_plain() {
        for (bytes, plain) in [
            ("a", "a"),
            ("./a/./b/", "a/b"),
            ("./", ""),
            (".", ""),
            ("cifar-100-binary/fine_label_names.txt~", "cifar-100-binary/fine_label_names.txt~"),
            ("..a/.b/com10/console", "..a/.b/com10/console"),
        ] {
            assert_eq!(path(bytes.as_bytes()).as_deref(), Ok(plain), "{bytes}");
        }
    }

    #[test]
    fn bad_paths_are_told_apart() {
        for (bytes, reason) in [
            ("", Reason::Nameless),
            ("/etc/passwd", Reason::Absolute),
            ("//server/share", Reason::Absolute),
            ("a/../../b", Reason::LeadsOut),
            ("..", Reason::LeadsOut),
            ("../", Reason::LeadsOut),
            ("a//b", Reason::EmptyName),
            ("a\0b", Reason::Nul),
            ("a\nb", Reason::NotAscii),
            ("caf\u{e9}", Reason::NotAscii),
            ("C:/Windows/x", Reason::Windows),
            ("c:x", Reason::Windows),
            ("..\\..\\x", Reason::Windows),
            ("a/file:stream", Reason::Windows),
            ("a/NUL", Reason::Windows),
            ("Com1.txt", Reason::Windows),
            ("name.", Reason::Windows),
            ("name ", Reason::Windows),
        ] {
            assert_eq!(path(bytes.as_bytes()), Err(reason), "{bytes:?}");
        }
        assert_eq!(path(&[b'a'; LONGEST + 1]), Err(Reason::LongPath(LONGEST)));
        assert_eq!(path("a/".repeat(DEEPEST + 1).as_bytes()), Err(Reason::Deep(DEEPEST)));
        assert_eq!(path(b"a\xff"), Err(Reason::NotAscii));
    }

    #[test]
    fn paths_that_cannot_lie_beside_each_other() {
        let add = |members: &[&str]| {
            let mut paths = Paths::default();
            let add =
                |member: &&str| paths.add(member.trim_end_matches('/'), member.ends_with('/'));
            members.iter().try_for_each(add)
        };
        assert_eq!(add(&["a/b", "a/", "a/c/", "a/c/d"]), Ok(()));
        assert_eq!(add(&["a", "A"]), Err(Reason::Twice));
        assert_eq!(add(&["a/", "a/"]), Err(Reason::Twice));
        assert_eq!(add(&["a", "a/b"]), Err(Reason::FileAndFolder));
        assert_eq!(add(&["a/b/c", "A/B"]), Err(Reason::FileAndFolder));
        assert_eq!(add(&["a/", "a"]), Err(Reason::FileAndFolder));
        assert_eq!(add(&["a", "a/"]), Err(Reason::FileAndFolder));
    }

    proptest! {
        #[test]
        fn what_is_allowed_stays_in_the_folder(bytes in "[a./\\\\:\0 ~C]{0,24}") {
            if let Ok(path) = path(bytes.as_bytes()) {
                let inside = |part| matches!(part, Component::Normal(_));
                prop_assert!(Path::new(&path).components().all(inside), "{}", path);
            }
        }
    }
}
