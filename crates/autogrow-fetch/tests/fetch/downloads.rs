//! Downloads from servers that cut, stall, lie and forget. Nothing wrong is ever published, and
//! what is right arrives.

use crate::server::{Request, Server, answer, head, serve, serve_some};
use crate::support::{Log, catalogue, fetch, names, noise, options, target};
use autogrow_fetch::{FetchError, How, Problem, get};
use proptest::prelude::*;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

const SIZE: usize = 10_000;

/// What the servers of a failed fetch did wrong, and that nothing was published.
fn problems(base: &Path, result: Result<Vec<autogrow_fetch::Outcome>, FetchError>) -> Vec<Problem> {
    assert!(!target(base).exists());
    match result {
        Err(FetchError::Unavailable { tried, .. }) => {
            tried.into_iter().map(|failure| failure.problem).collect()
        }
        other => unreachable!("{other:?}"),
    }
}

/// Writes what an earlier attempt left.
fn leave(base: &Path, bytes: &[u8]) {
    fs::create_dir_all(base.join("set")).unwrap();
    fs::write(base.join("set/file.bin.part"), bytes).unwrap();
}

#[test]
fn a_connection_cut_at_any_percent_is_gone_on_with() {
    let body = noise(SIZE);
    for percent in 0..100 {
        let (kept, base) = (SIZE * percent / 100, tempfile::tempdir().unwrap());
        let served = body.clone();
        let server = Server::start(move |request, stream| {
            let bytes = if request.number == 0 { kept } else { usize::MAX };
            serve_some(request, stream, &served, "\"1\"", bytes);
        });
        let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
        assert_eq!(result.unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
        assert_eq!(names(&base.path().join("set")), ["file.bin"]);
        // Not a byte is fetched twice, and the server is asked whether its file is still the same.
        let second = &server.requests()[1];
        assert_eq!(second.from, (kept > 0).then_some(kept));
        assert_eq!(second.if_range.as_deref(), (kept > 0).then_some("\"1\""));
        assert_eq!(log.pauses, [Duration::from_secs(1)]);
    }
}

#[test]
fn an_address_that_brings_something_each_time_is_not_given_up() {
    let (body, base) = (noise(20_000_000), tempfile::tempdir().unwrap());
    let served = body.clone();
    let server = Server::start(move |request, stream| {
        let bytes = if request.number < 12 { 100_000 } else { usize::MAX };
        serve_some(request, stream, &served, "\"1\"", bytes);
    });
    let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert_eq!(result.unwrap()[0].how, How::Fetched);
    assert_eq!(log.pauses, [Duration::from_secs(1); 12]);
    assert!(fs::read(target(base.path())).unwrap() == body);
}

#[test]
fn a_process_that_was_killed_is_gone_on_with_by_the_next() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    let served = body.clone();
    let server = Server::start(move |request, stream| match request.number {
        0 => serve_some(request, stream, &served, "\"1\"", 4_000),
        1..4 => head(stream, "500 Internal Server Error", &[]),
        _ => serve(request, stream, &served, "\"1\""),
    });
    let catalogue = catalogue(&body, &[&server.address], true);
    let (result, log) = fetch(base.path(), &catalogue);
    assert!(matches!(problems(base.path(), result)[..], [Problem::Status(500)]));
    assert_eq!(log.pauses, [1, 2, 4].map(Duration::from_secs));
    assert_eq!(names(&base.path().join("set")), ["file.bin.part", "file.bin.part.toml"]);

    let (result, log) = fetch(base.path(), &catalogue);
    assert_eq!((result.unwrap().len(), log.events), (1, vec!["from 4000".to_string()]));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);
}

#[test]
fn what_is_complete_is_checked_and_not_fetched_again() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    let server = Server::good(body.clone());
    let catalogue = catalogue(&body, &[&server.address], true);
    let how = || fetch(base.path(), &catalogue).0.unwrap()[0].how;
    assert_eq!((how(), how(), server.requests().len()), (How::Fetched, How::AlreadyHere, 1));
    let mut damaged = body.clone();
    damaged[77] ^= 1;
    fs::write(target(base.path()), damaged).unwrap();
    assert_eq!((how(), server.requests().len()), (How::Fetched, 2));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);
}

#[test]
fn a_server_that_ignores_ranges_begins_anew() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    leave(base.path(), &body[..3_000]);
    let (served, length) = (body.clone(), SIZE.to_string());
    let server = Server::start(move |_, stream| {
        answer(stream, "200 OK", &[("Content-Length", &length)], &served);
    });
    let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert_eq!((result.unwrap().len(), log.events), (1, vec!["from 0".to_string()]));
    assert_eq!(server.requests()[0].from, Some(3_000));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);
}

#[test]
fn a_file_that_changes_on_the_way_is_begun_anew() {
    let (old, new) = (vec![7; SIZE], noise(SIZE));
    // One server that respects If-Range, one that does not but says what it sends, one that says
    // nothing, which only the checksum notices.
    for kind in 0..3 {
        let base = tempfile::tempdir().unwrap();
        let (before, after) = (old.clone(), new.clone());
        let server = Server::start(move |request, stream| {
            let mut request = request.clone();
            match (request.number, kind) {
                (0, _) => return serve_some(&request, stream, &before, "\"old\"", 5_000),
                (1, 1) => request.if_range = None,
                (1, 2) => request.if_range = None,
                _ => {}
            }
            let tag = if kind == 2 { "\"old\"" } else { "\"new\"" };
            serve(&request, stream, &after, tag);
        });
        let (result, log) = fetch(base.path(), &catalogue(&new, &[&server.address], true));
        assert_eq!(result.unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), new, "{kind}");
        // Where the tag tells, nothing is added to what is of another file.
        assert_eq!(log.events.contains(&"from 5000".into()), kind == 2, "{:?}", log.events);
        assert_eq!(server.requests().len(), [2, 3, 3][kind]);
        assert_eq!(server.requests().last().unwrap().from, (kind == 0).then_some(5_000));
    }
}

#[test]
fn a_server_that_goes_on_elsewhere_is_not_listened_to() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    leave(base.path(), &body[..3_000]);
    let served = body.clone();
    let server = Server::start(move |request, stream| {
        let mut request = request.clone();
        request.from = request.from.map(|from| from - 1);
        serve(&request, stream, &served, "\"1\"");
    });
    let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert_eq!((result.unwrap().len(), log.events), (1, vec!["from 0".to_string()]));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);
}

#[test]
fn a_server_that_changes_its_file_for_ever_is_given_up() {
    let (body, base) = (noise(20 * SIZE), tempfile::tempdir().unwrap());
    let served = body.clone();
    let server = Server::start(move |request, stream| {
        let tag = format!("\"{}\"", request.number);
        let request = Request { if_range: None, ..request.clone() };
        serve_some(&request, stream, &served, &tag, 10 * SIZE);
    });
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert!(matches!(problems(base.path(), result)[..], [Problem::Changed]));
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_length_that_is_not_the_files_is_not_believed() {
    let body = noise(SIZE);
    for announced in [0, SIZE - 1, SIZE + 1, SIZE * 1_000_000] {
        let (base, served, length) =
            (tempfile::tempdir().unwrap(), body.clone(), announced.to_string());
        let server = Server::start(move |_, stream| {
            answer(stream, "200 OK", &[("Content-Length", &length)], &served);
        });
        let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
        let problems = problems(base.path(), result);
        assert!(matches!(problems[..], [Problem::Announced { .. }]), "{problems:?}");
        // It would say the same the next time.
        assert_eq!((server.requests().len(), log.pauses.len()), (1, 0));
        assert!(!base.path().join("set/file.bin.part").exists());
    }
}

#[test]
fn a_body_without_a_length_ends_with_the_file() {
    let body = noise(SIZE);
    let base = tempfile::tempdir().unwrap();
    let endless = noise(3 * SIZE);
    let server = Server::start(move |_, stream| answer(stream, "200 OK", &[], &endless));
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert!(matches!(problems(base.path(), result)[..], [Problem::TooLong { expected: 10_000 }]));
    assert_eq!(names(&base.path().join("set")), [""; 0]);

    // Without one, a cut looks like the end.
    let served = body.clone();
    let server = Server::start(move |request, stream| match request.number {
        0 => answer(stream, "200 OK", &[("ETag", "\"1\"")], &served[..4_000]),
        _ => serve(request, stream, &served, "\"1\""),
    });
    let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert_eq!(result.unwrap()[0].how, How::Fetched);
    let cut = "again: the connection was cut after 4000 bytes";
    assert_eq!(log.events, ["from 0", cut, "from 4000"]);
}

#[test]
fn a_wrong_file_is_not_published_and_the_next_address_is_asked() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    let mut wrong = body.clone();
    wrong[SIZE - 1] ^= 1;
    let (bad, good) = (Server::good(wrong), Server::good(body.clone()));
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&bad.address], true));
    assert!(matches!(problems(base.path(), result)[..], [Problem::Mismatch(_)]));
    assert_eq!(names(&base.path().join("set")), [""; 0]);

    let both = [&*bad.address, &*good.address];
    let (result, log) = fetch(base.path(), &catalogue(&body, &both, true));
    assert_eq!(result.unwrap()[0].how, How::Fetched);
    assert!(log.events[1].starts_with("given up: sent a wrong file: it has the MD5 "));
    assert_eq!((bad.requests().len(), log.pauses.len()), (2, 0));
}

#[test]
fn a_page_for_people_is_not_the_file_and_does_not_cost_what_is_there() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    leave(base.path(), &body[..3_000]);
    let server = Server::start(|_, stream| {
        let page = b"<html>The file has moved, or log in first</html>";
        answer(stream, "200 OK", &[("Content-Type", "text/html; charset=utf-8")], page);
    });
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    let error = result.unwrap_err();
    assert!(error.to_string().ends_with("answered with a web page instead of the file"), "{error}");
    assert_eq!(fs::read(base.path().join("set/file.bin.part")).unwrap(), body[..3_000]);
}

#[test]
fn a_server_that_stalls_is_left_and_asked_again() {
    let body = noise(SIZE);
    // Before the head, after it, in the middle.
    for (sent, has_head) in [(0, false), (0, true), (5_000, true)] {
        let (base, served) = (tempfile::tempdir().unwrap(), body.clone());
        let server = Server::start(move |request, stream| match (request.number, has_head) {
            (0, false) => drop(stream.read(&mut [0])),
            (0, true) => {
                serve_some(request, stream, &served, "\"1\"", sent);
                // Until the client has lost its patience and gone.
                let _ = stream.read(&mut [0]);
            }
            _ => serve(request, stream, &served, "\"1\""),
        });
        let mut options = options(base.path());
        options.patience.stall = Duration::from_millis(200);
        let mut log = Log::default();
        let catalogue = catalogue(&body, &[&server.address], true);
        get(&catalogue, &["set"], &options, &mut log).unwrap();
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
        assert!(log.events.contains(&"again: sent nothing for 200 ms".into()), "{:?}", log.events);
    }
}

#[test]
fn a_status_that_passes_is_waited_for_and_another_is_not() {
    let body = noise(SIZE);
    for (status, passes) in [(404, false), (403, false), (410, false), (500, true), (503, true)] {
        let base = tempfile::tempdir().unwrap();
        let server = Server::start(move |_, stream| {
            head(stream, &format!("{status} Whatever"), &[("Content-Type", "text/html")]);
        });
        let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
        let error = result.unwrap_err();
        assert!(error.to_string().ends_with(&format!("file.bin: answered {status}")), "{error}");
        let requests = if passes { 4 } else { 1 };
        assert_eq!((server.requests().len(), log.pauses.len()), (requests, requests - 1));

        let served = body.clone();
        let server = Server::start(move |request, stream| match request.number {
            0..2 => head(stream, &format!("{status} Whatever"), &[]),
            _ => serve(request, stream, &served, "\"1\""),
        });
        let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
        assert_eq!(result.is_ok(), passes, "{status}");
    }
}

#[test]
fn redirections_are_followed_but_not_for_ever() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    leave(base.path(), &body[..3_000]);
    let served = body.clone();
    let server = Server::start(move |request, stream| match &*request.path {
        "/file.bin" => head(stream, "302 Found", &[("Location", "/elsewhere/file")]),
        "/elsewhere/file" => serve(request, stream, &served, "\"1\""),
        round => {
            let next = format!("{round}x");
            head(stream, "301 Moved Permanently", &[("Location", &next)]);
        }
    });
    let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert_eq!((result.unwrap().len(), log.events), (1, vec!["from 3000".to_string()]));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);

    let (base, round) = (tempfile::tempdir().unwrap(), format!("{}/round", server.address));
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&round], true));
    assert!(matches!(problems(base.path(), result)[..], [Problem::Redirects]));
    assert!(server.requests().len() < 20);
}

#[test]
fn a_finished_part_is_published_without_being_fetched() {
    let body = noise(SIZE);
    let server = Server::good(body.clone());
    for (has_size, requests) in [(true, 0), (false, 1)] {
        let base = tempfile::tempdir().unwrap();
        leave(base.path(), &body);
        let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], has_size));
        // Where its size is not known the server answers 416.
        assert_eq!(result.unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn a_part_of_another_file_is_thrown_away_once_the_checksum_tells() {
    let body = noise(SIZE);
    for (left, has_size) in [
        (vec![0; 4_000], true),
        (vec![0; SIZE], true),
        (vec![0; SIZE + 1], true),
        (vec![0; SIZE], false),
    ] {
        let base = tempfile::tempdir().unwrap();
        leave(base.path(), &left);
        let server = Server::good(body.clone());
        let (result, log) = fetch(base.path(), &catalogue(&body, &[&server.address], has_size));
        assert_eq!(result.unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
        assert_eq!(log.events.last().unwrap(), "from 0");
    }
}

#[test]
fn what_one_address_began_another_goes_on_with() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    let (served, good) = (body.clone(), Server::good(body.clone()));
    let flaky = Server::start(move |request, stream| match request.number {
        0 => serve_some(request, stream, &served, "\"flaky\"", 6_000),
        _ => head(stream, "404 Not Found", &[]),
    });
    let both = [&*flaky.address, &*good.address];
    let (result, _) = fetch(base.path(), &catalogue(&body, &both, true));
    assert_eq!(result.unwrap()[0].how, How::Fetched);
    // The tag of one server means nothing to another.
    let asked = &good.requests()[0];
    assert_eq!((asked.from, &asked.if_range), (Some(6_000), &None));
    assert_eq!(fs::read(target(base.path())).unwrap(), body);
}

#[test]
fn a_weak_tag_is_no_promise_but_a_date_is() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    let date = "Wed, 21 Oct 2015 07:28:00 GMT";
    let (served, length) = (body.clone(), SIZE.to_string());
    let server = Server::start(move |request, stream| match request.number {
        0 => {
            let headers =
                [("Content-Length", &*length), ("ETag", "W/\"1\""), ("Last-Modified", date)];
            answer(stream, "200 OK", &headers, &served[..2_000]);
        }
        _ => serve(request, stream, &served, date),
    });
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert_eq!(result.unwrap()[0].how, How::Fetched);
    assert_eq!(server.requests()[1].if_range.as_deref(), Some(date));
}

/// Some servers say so of every `.gz`; the checksum is that of the file as it lies there.
#[test]
fn a_file_that_is_called_compressed_stays_as_it_is() {
    for encoding in ["gzip", "x-gzip"] {
        let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
        let (served, length) = (body.clone(), SIZE.to_string());
        let server = Server::start(move |_, stream| {
            let headers = [("Content-Length", &*length), ("Content-Encoding", encoding)];
            answer(stream, "200 OK", &headers, &served);
        });
        let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
        assert_eq!(result.unwrap()[0].how, How::Fetched);
        assert_eq!(fs::read(target(base.path())).unwrap(), body);
    }
}

#[test]
fn where_nobody_listens_the_address_is_named() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("http://127.0.0.1:{port}");
    let (result, log) = fetch(base.path(), &catalogue(&body, &[&nobody], true));
    assert_eq!(log.pauses.len(), 3);
    let error = result.unwrap_err();
    assert!(error.to_string().contains(&format!("\n  {nobody}/file.bin: ")), "{error}");
    assert!(error.hint().contains(&format!("fetch {nobody}/file.bin with a browser")));
}

#[test]
fn a_server_that_speaks_no_http_is_an_error() {
    let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
    for garbage in
        [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"]
    {
        let server = Server::start(move |_, stream| drop(stream.write_all(garbage)));
        let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
        assert_eq!(problems(base.path(), result).len(), 1);
    }
    let server = Server::start(|_, stream| {
        let headers = [("Content-Range", "bytes 1-2/3"), ("Content-Length", "2")];
        answer(stream, "206 Partial Content", &headers, b"ab");
    });
    let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], true));
    assert!(matches!(problems(base.path(), result)[..], [Problem::Status(206)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_often_it_is_cut_it_arrives(cuts in prop::collection::vec(0..4_000_usize, 0..12)) {
        let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
        let (served, lengths) = (body.clone(), cuts.clone());
        let server = Server::start(move |request, stream| {
            let bytes = lengths.get(request.number).copied().unwrap_or(usize::MAX);
            serve_some(request, stream, &served, "\"1\"", bytes);
        });
        let mut options = options(base.path());
        options.patience.attempts = 20;
        let catalogue = catalogue(&body, &[&server.address], true);
        get(&catalogue, &["set"], &options, &mut Log::default()).unwrap();
        prop_assert_eq!(fs::read(target(base.path())).unwrap(), body);
        // Each request goes on exactly where the one before was cut.
        let mut there = 0;
        for (request, cut) in server.requests().iter().zip(cuts.iter().chain([&SIZE])) {
            prop_assert_eq!(request.from.unwrap_or(0), there);
            there += cut;
        }
    }

    #[test]
    fn whatever_servers_do_nothing_wrong_is_published(
        deeds in prop::collection::vec((0..9_u8, 0..SIZE), 1..8),
        left in prop::option::of(0..SIZE + 10),
        has_size: bool,
    ) {
        let (body, base) = (noise(SIZE), tempfile::tempdir().unwrap());
        if let Some(left) = left {
            leave(base.path(), &noise(SIZE + 10)[..left]);
        }
        let served = body.clone();
        let server = Server::start(move |request, stream| {
            let (deed, at) = deeds[request.number % deeds.len()];
            let mut other = served.clone();
            other[at] ^= 1;
            let length = (SIZE + at).to_string();
            let range = format!("bytes {at}-{}/{SIZE}", SIZE - 1);
            match deed {
                0 => serve(request, stream, &served, "\"1\""),
                1 => serve_some(request, stream, &served, "\"1\"", at),
                2 => serve(request, stream, &other, "\"1\""),
                3 => serve(request, stream, &other, "\"2\""),
                4 => answer(stream, "200 OK", &[("Content-Length", &length)], &other),
                5 => answer(stream, "200 OK", &[], &other[..at]),
                6 => answer(stream, "206 Partial Content", &[("Content-Range", &range)], &served),
                7 => head(stream, "416 Range Not Satisfiable", &[]),
                _ => head(stream, "503 Service Unavailable", &[]),
            }
        });
        let (result, _) = fetch(base.path(), &catalogue(&body, &[&server.address], has_size));
        let found = fs::read(target(base.path())).ok();
        prop_assert_eq!(result.is_ok(), found.is_some());
        prop_assert!(found.is_none_or(|found| found == body));
    }
}
