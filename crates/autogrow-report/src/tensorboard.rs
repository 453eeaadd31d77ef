//! A run's scalars as TensorBoard reads them: records framed as TFRecord with masked CRC-32C, each
//! an `Event` in protocol buffers.
//!
//! The records are a function of the run: those of a run that was resumed begin with those from before.
//! The file is only appended to, so that a TensorBoard that follows it reads on from where it was.

use crate::run::Run;
use crate::run::start::{event_file, event_files};
use autogrow_base::Result;
use autogrow_run::storage;
use prost::Message;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The part of TensorFlow's `event.proto` that scalars need.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// The events of a run: loss and score on training and validation images, learning rate, depth
/// and that of each sub-network, by epoch.
pub fn events(run: &Run) -> Vec<u8> {
    events_since(run, run.started).concat()
}

/// The same of a run that started then, seconds since 1970.
fn events_since(run: &Run, started: f64) -> Vec<Vec<u8>> {
    let version = What::FileVersion("brain.Event:2".into());
    let mut records = vec![record(&Event { wall_time: started, step: 0, what: Some(version) })];
    let score = run.words().score_tag();
    for epoch in &run.epochs {
        let own = &epoch.record;
        let mut scalars = vec![
            ("loss/train".to_string(), own.train_loss),
            ("loss/validation".into(), own.val_loss),
            (format!("{score}/train"), own.train_accuracy),
            (format!("{score}/validation"), own.val_accuracy),
            ("learning_rate".into(), own.learning_rate),
            ("depth/sub_modules".into(), epoch.depth.sub_modules() as f64),
        ];
        let depth = epoch.depth.as_slice().iter().enumerate();
        scalars.extend(depth.map(|(i, count)| (format!("depth/sub_network_{i}"), *count as f64)));
        let value = |(tag, value): (String, f64)| Value { tag, simple_value: Some(value as f32) };
        let summary = Summary { value: scalars.into_iter().map(value).collect() };
        records.push(record(&Event {
            wall_time: started + epoch.elapsed,
            step: i64::try_from(epoch.number).unwrap_or(i64::MAX),
            what: Some(What::Summary(summary)),
        }));
    }
    records
}

/// Brings `tensorboard/events.out.tfevents.<start>.autogrow` in the run's folder up to date, or begins it;
/// returns where it is. TensorBoard draws every curve once for each such file, so that any others are
/// removed.
///
/// # Errors
/// [`autogrow_base::Error::Run`].
pub fn write(run: &Run) -> Result<PathBuf> {
    let folder = run.path.join("tensorboard");
    let mut files = event_files(&folder).into_iter();
    let (started, path) = files.next().unwrap_or_else(|| {
        let started = run.started as u64;
        (started, folder.join(event_file(started)))
    });
    storage::extend_derived(&path, &events_since(run, started as f64))?;
    for (_, path) in files {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(storage::failed(&path, "cannot be removed", &error));
            }
            _ => {}
        }
    }
    Ok(path)
}

/// Length, its checksum, the message, its checksum.
fn record(event: &Event) -> Vec<u8> {
    let data = event.encode_to_vec();
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), &data, &masked(&data)].concat()
}

/// CRC-32C, rotated and moved, so that the checksum of data that holds checksums is still a good
/// one.
fn masked(data: &[u8]) -> [u8; 4] {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}
