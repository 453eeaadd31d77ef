//! Event files, byte by byte as TensorBoard has read them: `fixtures/events.csv` is what
//! `fixtures/read_tensorboard.py` printed of `fixtures/events.out.tfevents.fixture`.

use crate::common::{assert_same, fixture, run_folder};
use autogrow_report::{Run, tensorboard};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, UNIX_EPOCH};

fn run() -> Run {
    Run { started: 1_700_000_000.0, ..Run::read(&fixture("run")).unwrap() }
}

#[test]
fn bytes_are_those_that_tensorboard_has_read() {
    assert_same("events.out.tfevents.fixture", &tensorboard::events(&run()));
}

#[test]
fn tensorboard_has_read_the_runs_numbers() {
    let run = run();
    let text = fs::read_to_string(fixture("events.csv")).unwrap();
    let mut seen = 0;
    for line in text.lines() {
        let [tag, step, time, value] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        let epoch = run.epochs.iter().find(|epoch| epoch.number.to_string() == step).unwrap();
        let own = match tag {
            "loss/train" => epoch.record.train_loss,
            "loss/validation" => epoch.record.val_loss,
            "accuracy/train" => epoch.record.train_accuracy,
            "accuracy/validation" => epoch.record.val_accuracy,
            "learning_rate" => epoch.record.learning_rate,
            "depth/sub_modules" => epoch.depth.sub_modules() as f64,
            tag => {
                let index = tag.strip_prefix("depth/sub_network_").unwrap();
                epoch.depth.as_slice()[index.parse::<usize>().unwrap()] as f64
            }
        };
        assert_eq!(value.parse::<f32>().unwrap(), own as f32, "{line}");
        let time: f64 = time.parse().unwrap();
        assert!((time - run.started - epoch.elapsed).abs() < 1e-3, "{line}");
        seen += 1;
    }
    assert_eq!(seen, 9 * run.epochs.len());
}

/// So that a TensorBoard which follows the file finds its place in it.
#[test]
fn a_longer_runs_events_begin_with_the_shorter_ones() {
    let run = run();
    let all = tensorboard::events(&run);
    for epochs in [0, 1, 7] {
        let shorter = Run { epochs: run.epochs[..epochs].to_vec(), ..run.clone() };
        assert!(all.starts_with(&tensorboard::events(&shorter)));
    }
}

/// As a TensorBoard reads that follows a run; a record that a kill has torn is cut.
#[test]
fn events_are_appended_to_those_that_are_there() {
    let folder = run_folder();
    let run = Run::read(folder.path()).unwrap();
    let shorter = Run { epochs: run.epochs[..5].to_vec(), ..run.clone() };
    let path = tensorboard::write(&shorter).unwrap();
    let before = fs::read(&path).unwrap();
    let mut open = File::open(&path).unwrap();
    open.seek(SeekFrom::End(0)).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(&[7; 11]).unwrap();
    tensorboard::write(&run).unwrap();
    let mut appended = Vec::new();
    open.read_to_end(&mut appended).unwrap();
    let whole = fs::read(&path).unwrap();
    assert_eq!([before, appended].concat(), whole);
    let mut rest = &whole[..];
    let mut records = 0;
    while !rest.is_empty() {
        let (length, sum) = (&rest[..8], &rest[8..12]);
        assert_eq!(sum, masked(length));
        let end = 12 + u64::from_le_bytes(length.try_into().unwrap()) as usize;
        assert_eq!(rest[end..end + 4], masked(&rest[12..end]));
        rest = &rest[end + 4..];
        records += 1;
    }
    assert_eq!(records, 1 + run.epochs.len());
}

/// The checksum of TFRecord, worked out bit by bit.
fn masked(data: &[u8]) -> [u8; 4] {
    let crc = !data.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg())
        })
    });
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[test]
fn events_are_written_in_place_of_older_ones() {
    let folder = run_folder();
    let run = Run::read(folder.path()).unwrap();
    let first = tensorboard::write(&run).unwrap();
    assert_eq!(tensorboard::write(&run).unwrap(), first);
    assert_eq!(fs::read(&first).unwrap(), tensorboard::events(&run));
    assert_eq!(fs::read_dir(folder.path().join("tensorboard")).unwrap().count(), 1);
}

/// As a copy of the folder has it, or a run whose configuration was written anew.
#[test]
fn the_name_of_the_events_outlives_the_time_of_the_configuration() {
    let folder = run_folder();
    let first = tensorboard::write(&Run::read(folder.path()).unwrap()).unwrap();
    let started = Run::read(folder.path()).unwrap().started;
    let config = File::options().append(true).open(folder.path().join("config.toml")).unwrap();
    config.set_modified(UNIX_EPOCH + Duration::from_millis(1_700_000_000_700)).unwrap();
    let later = Run::read(folder.path()).unwrap();
    assert_eq!(later.started, started);
    assert_eq!(tensorboard::write(&later).unwrap(), first);
    assert_eq!(fs::read(&first).unwrap(), tensorboard::events(&later));

    fs::remove_file(&first).unwrap();
    let run = Run::read(folder.path()).unwrap();
    assert_eq!(run.started, 1_700_000_000.0);
    let anew = tensorboard::write(&run).unwrap();
    assert!(anew.ends_with("tensorboard/events.out.tfevents.1700000000.autogrow"), "{anew:?}");
}

#[test]
fn further_events_of_the_run_are_removed_and_no_others() {
    let folder = run_folder();
    let events = folder.path().join("tensorboard");
    fs::create_dir(&events).unwrap();
    let oldest = "events.out.tfevents.1600000000.autogrow";
    let own = "events.out.tfevents.1500000000.machine";
    for name in [own, oldest, "events.out.tfevents.1650000000.autogrow"] {
        fs::write(events.join(name), "").unwrap();
    }
    // Read from elsewhere, or before there was any event file.
    let run = Run { started: 1_700_000_000.0, ..Run::read(folder.path()).unwrap() };
    assert_eq!(tensorboard::write(&run).unwrap(), events.join(oldest));
    let run = Run { started: 1_600_000_000.0, ..run };
    assert_eq!(fs::read(events.join(oldest)).unwrap(), tensorboard::events(&run));
    let mut names: Vec<_> =
        fs::read_dir(&events).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [own, oldest]);
}
