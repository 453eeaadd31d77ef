//! `autogrow download` as a user meets it: what it prints, exit codes, and that what it fetches is
//! found. The only server is one on this machine; what it has is not what is published, because
//! that is too large for a test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

fn autogrow(data: &Path, arguments: &[&str]) -> Output {
    command(data, arguments).output().unwrap()
}

fn command(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_autogrow-tests"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AUTOGROW_")) {
        command.env_remove(name);
    }
    command.env("AUTOGROW_DATA", data).env("XDG_DATA_HOME", data).args(arguments);
    command
}

/// Runs what must fail, and returns the message.
fn fails(code: i32, data: &Path, arguments: &[&str]) -> String {
    let output = autogrow(data, arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
    assert!(!message.contains("panicked") && !message.contains('\x1b'), "{message}");
    assert!(output.stdout.is_empty());
    message
}

#[test]
fn an_unknown_name_is_a_usage_error_with_the_nearest_one() {
    let data = tempfile::tempdir().unwrap();
    let message = fails(2, data.path(), &["download", "mnist", "fashion-minst"]);
    assert!(message.contains("unknown data set `fashion-minst`"), "{message}");
    assert!(message.contains("did you mean `fashion-mnist`?"), "{message}");
    fails(2, data.path(), &["download"]);
    let message = fails(2, data.path(), &["download", "mnist", "--mirror", "mirror.example"]);
    assert!(message.contains("begins with http:// or https://"), "{message}");
    fails(2, data.path(), &["download", "mnist", "--mirror", "http://a", "--from", "b"]);
}

#[test]
fn what_must_be_fetched_by_hand_is_explained() {
    let data = tempfile::tempdir().unwrap();
    let message = fails(3, data.path(), &["download", "imagenet"]);
    assert!(message.contains("make an account at https://image-net.org"), "{message}");
    assert!(message.contains("autogrow download imagenet --from FOLDER"), "{message}");
}

#[test]
fn a_wrong_or_missing_file_is_a_data_error_that_names_it() {
    let (data, from) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let folder = from.path().to_str().unwrap();
    let message = fails(3, data.path(), &["download", "svhn", "--from", folder]);
    assert!(message.contains("there is no train_32x32.mat"), "{message}");
    fs::write(from.path().join("train_32x32.mat"), "no matrix").unwrap();
    let message = fails(3, data.path(), &["download", "svhn", "--from", folder]);
    assert!(message.contains("has 9 bytes instead of 182040794"), "{message}");
    assert!(!data.path().join("svhn/train_32x32.mat").exists());
}

#[test]
fn a_mirror_that_lies_is_a_data_error_that_says_how() {
    let data = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/sets", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut paths = Vec::new();
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines();
            paths.push(lines.next().unwrap().unwrap());
            lines.map_while(Result::ok).find(String::is_empty);
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nwrong";
            stream.write_all(head).unwrap();
        }
        paths
    });
    let message = fails(3, data.path(), &["download", "svhn", "--mirror", &address, "--quiet"]);
    assert_eq!(
        server.join().unwrap(),
        ["GET /sets/svhn/train_32x32.mat HTTP/1.1", "GET /sets/train_32x32.mat HTTP/1.1"]
    );
    assert!(message.starts_with("error: "), "{message}");
    assert!(message.contains("announced 5 bytes instead of 182040794"), "{message}");
    assert!(message.contains("--from") && message.contains("with a browser"), "{message}");
}

/// A server whose certificate an authority of its own vouches for, as in companies. It answers every
/// request with 404, and says how often it was spoken to.
fn tls_server(connections: usize) -> (String, std::thread::JoinHandle<usize>) {
    let fixture = |name: &str| {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls").join(name)).unwrap()
    };
    let chain = vec![CertificateDer::from(fixture("server.crt.der"))];
    let key = PrivatePkcs8KeyDer::from(fixture("server.key.der"));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut answered = 0;
        for stream in listener.incoming().take(connections) {
            let (mut stream, mut tls) =
                (stream.unwrap(), ServerConnection::new(config.clone()).unwrap());
            let mut tls = rustls::Stream::new(&mut tls, &mut stream);
            let lines = BufReader::new(&mut tls).lines();
            if lines.map_while(Result::ok).any(|line| line.is_empty()) {
                let head =
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                tls.write_all(head).unwrap();
                answered += 1;
            }
        }
        answered
    });
    (address, server)
}

#[test]
fn a_certificate_that_is_not_trusted_ends_a_download_at_once() {
    let data = tempfile::tempdir().unwrap();
    // Each of the two paths is tried once: more would wait for a server that has gone.
    let (address, server) = tls_server(2);
    let message = fails(3, data.path(), &["download", "svhn", "--mirror", &address, "--quiet"]);
    assert!(message.contains("its certificate is not trusted"), "{message}");
    assert!(message.contains("SSL_CERT_FILE"), "{message}");
    assert_eq!(server.join().unwrap(), 0);

    let (address, server) = tls_server(2);
    let authority = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls/authority.pem");
    let arguments = ["download", "svhn", "--mirror", &address, "--quiet"];
    let output = command(data.path(), &arguments).env("SSL_CERT_FILE", authority).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("answered 404"), "{message}");
    assert_eq!(server.join().unwrap(), 2);
}

#[test]
fn list_says_what_is_here_and_how_to_get_the_rest() {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("svhn")).unwrap();
    fs::write(data.path().join("svhn/test_32x32.mat"), "a part").unwrap();
    let output = autogrow(data.path(), &["list", "data", "--json"]);
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let state = |name: &str| {
        let items = list["data"].as_array().unwrap();
        items.iter().find(|item| item["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!(state("svhn")["presence"], "partly");
    assert_eq!(state("svhn")["missing"][0], "train_32x32.mat");
    assert_eq!(state("cifar10")["presence"], "missing");
    assert_eq!(state("cifar10")["how_to_get"], "`autogrow download cifar10`");
    assert_eq!(state("digits"), Value::Null);
    let text = String::from_utf8(autogrow(data.path(), &["list", "data"]).stdout).unwrap();
    assert!(text.contains("missing: `autogrow download cifar10`"), "{text}");
    assert!(text.contains("svhn lacks train_32x32.mat"), "{text}");
}
