//! Whole sets: archives that are fetched, unpacked and found again; files that were fetched by
//! hand; mirrors and proxies.

use crate::server::{Server, answer, head, serve};
use crate::support::{Log, catalogue, catalogue_of, fetch, names, noise, options, target};
use autogrow_fetch::{
    Catalogue, FetchError, How, Mismatch, Options, Places, Presence, Problem, get, states,
};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::Command;

/// An archive that Python wrote: `top/file.bin` and `top/deeper/readme.html`.
fn archive() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archives/good-ustar.tar.gz");
    fs::read(path).unwrap()
}

const UNPACKS: &str = "unpacks = { folder = 'top', at_most = 10_000 }";

fn archive_catalogue(addresses: &[&str]) -> Catalogue {
    catalogue_of("set.tar.gz", &archive(), addresses, true, UNPACKS)
}

#[test]
fn an_archive_becomes_a_folder_that_is_found_and_checked_again() {
    let base = tempfile::tempdir().unwrap();
    let server = Server::good(archive());
    let catalogue = archive_catalogue(&[&server.address]);
    // What a process leaves that is killed while it unpacks.
    fs::create_dir_all(base.path().join("set.unpacking/top/deeper")).unwrap();
    fs::create_dir_all(base.path().join("set")).unwrap();
    let (result, _) = fetch(base.path(), &catalogue);
    let outcome = &result.unwrap()[0];
    assert_eq!((outcome.how, &outcome.set_aside), (How::Fetched, &None));
    assert_eq!(outcome.folder, base.path().join("set"));
    assert_eq!(names(base.path()), ["set"]);
    assert_eq!(names(&outcome.folder), ["SHA256SUMS", "deeper", "file.bin"]);
    assert_eq!(fs::read(target(base.path())).unwrap(), b"good");

    let state = &states(&catalogue, &Places::only(base.path()))[0];
    assert_eq!((state.presence, state.folder.as_deref()), (Presence::Here, Some(&*outcome.folder)));
    assert_eq!(fetch(base.path(), &catalogue).0.unwrap()[0].how, How::AlreadyHere);
    assert_eq!(server.requests().len(), 1);
}

/// The list can be read by other programs.
#[test]
fn sha256sum_agrees() {
    let base = tempfile::tempdir().unwrap();
    let server = Server::good(archive());
    fetch(base.path(), &archive_catalogue(&[&server.address])).0.unwrap();
    let check = |expected| {
        let mut sha256sum = Command::new("sha256sum");
        sha256sum.args(["--check", "--quiet", "SHA256SUMS"]).current_dir(base.path().join("set"));
        match sha256sum.output() {
            Ok(output) => assert_eq!(output.status.success(), expected),
            // Not every system has it.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
        }
    };
    check(true);
    fs::write(base.path().join("set/deeper/readme.html"), "changed").unwrap();
    check(false);
}

#[test]
fn what_is_not_the_set_is_set_aside_and_kept() {
    let base = tempfile::tempdir().unwrap();
    let server = Server::good(archive());
    let catalogue = archive_catalogue(&[&server.address]);
    fetch(base.path(), &catalogue).0.unwrap();
    for old in ["set.old-1", "set.old-2"] {
        fs::write(target(base.path()), "changed").unwrap();
        let outcome = fetch(base.path(), &catalogue).0.unwrap().remove(0);
        assert_eq!(outcome.how, How::Fetched);
        assert_eq!(outcome.set_aside, Some(base.path().join(old)));
        assert_eq!(fs::read(base.path().join(old).join("file.bin")).unwrap(), b"changed");
        assert_eq!(fs::read(target(base.path())).unwrap(), b"good");
    }
}

#[test]
fn what_was_unpacked_by_hand_is_left_alone() {
    let base = tempfile::tempdir().unwrap();
    let server = Server::good(archive());
    fs::create_dir(base.path().join("top")).unwrap();
    fs::write(base.path().join("top/file.bin"), "who knows").unwrap();
    let (result, _) = fetch(base.path(), &archive_catalogue(&[&server.address]));
    let outcome = result.unwrap().remove(0);
    assert_eq!(outcome.how, How::AlreadyHereUnchecked);
    assert_eq!(outcome.folder, base.path().join("top"));
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn files_that_were_fetched_by_hand_are_checked_in_the_same_way() {
    let (body, other) = (noise(1_000), noise(999));
    let plain = catalogue(&body, &["http://set.example"], true);
    let packed = archive_catalogue(&["http://set.example"]);
    for folder in ["", "set"] {
        let (base, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let given = from.path().join(folder);
        fs::create_dir_all(&given).unwrap();
        let mut options = options(base.path());
        options.from = Some(from.path().into());
        let bring = |catalogue: &Catalogue| get(catalogue, &["set"], &options, &mut Log::default());

        let error = bring(&plain).unwrap_err();
        assert!(matches!(&error, FetchError::NotGiven { file, .. } if file == "file.bin"));
        assert!(error.hint().contains("http://set.example"), "{}", error.hint());

        fs::write(given.join("file.bin"), &other).unwrap();
        match bring(&plain).unwrap_err() {
            FetchError::Wrong { path, mismatch } => {
                assert_eq!(path, given.join("file.bin"));
                assert_eq!(mismatch, Mismatch::Size { expected: 1_000, found: 999 });
            }
            other => unreachable!("{other}"),
        }
        assert_eq!(names(&base.path().join("set")), [""; 0]);

        fs::write(given.join("file.bin"), &body).unwrap();
        assert_eq!(bring(&plain).unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
        assert_eq!(bring(&plain).unwrap()[0].how, How::AlreadyHere);

        fs::remove_dir_all(base.path().join("set")).unwrap();
        fs::write(given.join("set.tar.gz"), &archive()[1..]).unwrap();
        assert!(matches!(bring(&packed).unwrap_err(), FetchError::Wrong { .. }));
        fs::write(given.join("set.tar.gz"), archive()).unwrap();
        assert_eq!(bring(&packed).unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), b"good");
        // Whoever fetched it may need it again.
        assert!(given.join("set.tar.gz").is_file());
    }
}

#[test]
fn a_set_that_nobody_may_give_out_is_explained_and_checked() {
    let (base, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let built_in = Catalogue::built_in().unwrap();
    let error = get(&built_in, &["imagenet"], &options(base.path()), &mut ()).unwrap_err();
    assert!(error.hint().contains("ILSVRC2012_img_train.tar"), "{}", error.hint());
    assert!(error.hint().contains("make an account at https://image-net.org"));

    let body = noise(1_000);
    let mut by_hand = catalogue(&body, &[], false);
    by_hand.sets[0].by_hand = Some("ask".into());
    let options = Options { from: Some(from.path().into()), ..options(base.path()) };
    let verify = || get(&by_hand, &["set"], &options, &mut ());
    assert!(matches!(verify().unwrap_err(), FetchError::NotGiven { .. }));
    fs::write(from.path().join("file.bin"), noise(999)).unwrap();
    assert!(matches!(verify().unwrap_err(), FetchError::Wrong { .. }));
    fs::write(from.path().join("file.bin"), &body).unwrap();
    let outcome = verify().unwrap().remove(0);
    assert_eq!((outcome.how, &*outcome.folder), (How::Verified, from.path()));
    assert_eq!(names(base.path()), [""; 0]);
}

#[test]
fn a_mirror_is_asked_instead_with_and_without_a_folder_a_set() {
    let body = noise(1_000);
    for place in ["/data/set/file.bin", "/data/file.bin"] {
        let (base, served) = (tempfile::tempdir().unwrap(), body.clone());
        let server = Server::start(move |request, stream| match &*request.path {
            path if path == place => serve(request, stream, &served, "\"1\""),
            _ => head(stream, "404 Not Found", &[]),
        });
        let mirror = Some(format!("{}/data/", server.address));
        let options = Options { mirror, ..options(base.path()) };
        let catalogue = catalogue(&body, &["http://not.asked.invalid"], true);
        get(&catalogue, &["set"], &options, &mut Log::default()).unwrap();
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
    }
    for wrong in ["ftp://mirror", "mirror.example/data", "https://", "file:///etc", ""] {
        let base = tempfile::tempdir().unwrap();
        let options = Options { mirror: Some(wrong.into()), ..options(base.path()) };
        let error = get(&catalogue(&body, &[], true), &["set"], &options, &mut ()).unwrap_err();
        assert!(matches!(&error, FetchError::Mirror { address } if address == wrong), "{wrong}");
        assert!(error.is_usage());
    }
}

#[test]
fn two_processes_do_not_fetch_the_same_set() {
    let (body, base) = (noise(1_000), tempfile::tempdir().unwrap());
    let lock = fs::File::create(base.path().join(".set.lock")).unwrap();
    lock.lock().unwrap();
    let server = Server::good(body.clone());
    let catalogue = catalogue(&body, &[&server.address], true);
    let (result, _) = fetch(base.path(), &catalogue);
    assert!(matches!(result.unwrap_err(), FetchError::Busy { .. }));
    lock.unlock().unwrap();
    assert!(fetch(base.path(), &catalogue).0.is_ok());
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let (body, base) = (noise(1_000), tempfile::tempdir().unwrap());
    fs::write(base.path().join("set"), "a file where the folder is to be").unwrap();
    let server = Server::good(body.clone());
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    let error = result.unwrap_err();
    assert!(matches!(error, FetchError::Io { .. }), "{error}");
    assert!(error.to_string().starts_with(&base.path().join("set").display().to_string()));
    assert!(error.hint().contains("--dir"));
}

/// Set in the process that the next test starts: the folder to fetch to.
const CHILD: &str = "AUTOGROW_FETCH_TEST_BASE";

/// The variables of the environment are those of another process, because here other tests run.
#[test]
fn a_proxy_of_the_environment_is_used_but_not_for_own_addresses() {
    let body = noise(1_000);
    let addresses = ["http://set.invalid/data"];
    if let Some(base) = std::env::var_os(CHILD) {
        let base = Path::new(&base);
        fetch(base, &catalogue(&body, &addresses, true)).0.unwrap();
        let own = Server::good(body.clone());
        fs::remove_dir_all(base.join("set")).unwrap();
        fetch(base, &catalogue(&body, &[&own.address], true)).0.unwrap();
        return;
    }
    let base = tempfile::tempdir().unwrap();
    let origin = Server::good(body.clone());
    let behind = origin.address.trim_start_matches("http://").to_string();
    let proxy = Server::start(move |request, stream| {
        if request.method != "CONNECT" {
            return answer(stream, "405 Method Not Allowed", &[], b"");
        }
        let _ = stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        let (mut there, back) = (TcpStream::connect(&behind).unwrap(), stream);
        let (mut client, mut server) = (back.try_clone().unwrap(), there.try_clone().unwrap());
        let upwards = std::thread::spawn(move || {
            let _ = io::copy(&mut client, &mut server);
            let _ = server.shutdown(Shutdown::Write);
        });
        let mut reply = Vec::new();
        let _ = there.read_to_end(&mut reply);
        let _ = back.write_all(&reply);
        let _ = back.shutdown(Shutdown::Both);
        let _ = upwards.join();
    });
    let name = "sets::a_proxy_of_the_environment_is_used_but_not_for_own_addresses";
    let mut child = Command::new(std::env::current_exe().unwrap());
    for variable in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "http_proxy"] {
        child.env_remove(variable);
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    child.args(["--exact", name]).env(CHILD, base.path()).env("HTTP_PROXY", &proxy.address);
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);
    let asked: Vec<_> = proxy.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["set.invalid:80"]);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn a_failed_set_says_what_every_address_did() {
    let (body, base) = (noise(1_000), tempfile::tempdir().unwrap());
    let gone = Server::start(|_, stream| head(stream, "404 Not Found", &[]));
    let other = Server::good(noise(1_001));
    let both = [&*gone.address, &*other.address];
    let error = fetch(base.path(), &catalogue(&body, &both, true)).0.unwrap_err();
    let expected = format!(
        "{}: could not be fetched\n  {}/file.bin: answered 404\n  \
         {}/file.bin: announced 1001 bytes instead of 1000",
        target(base.path()).display(),
        gone.address,
        other.address
    );
    assert_eq!(error.to_string(), expected);
    assert!(!error.is_usage());
    let FetchError::Unavailable { tried, .. } = error else { unreachable!() };
    assert!(matches!(tried[1].problem, Problem::Announced { .. }));
}
