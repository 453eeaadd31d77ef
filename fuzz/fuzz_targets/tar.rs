//! Tar archives of any content, and whatever is in them as archives again.
#![no_main]

use autogrow_formats::tar;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|content: &[u8]| {
    let mut inner = Vec::new();
    let end = content.len() as u64;
    let _ = tar::members(Path::new("a.tar"), content, 0..end, |member| {
        assert!(member.offset + member.length <= end);
        inner.push(member.offset..member.offset + member.length);
        Ok(())
    });
    for within in inner {
        let _ = tar::members(Path::new("a.tar"), content, within.clone(), |member| {
            assert!(within.start <= member.offset && member.offset + member.length <= within.end);
            Ok(())
        });
    }
});
