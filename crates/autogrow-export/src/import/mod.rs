//! Weights that `torch.save` wrote, as zip files of PyTorch 1.6 and later: a pickle that says which
//! tensors there are, and a member of raw numbers for each storage.
//!
//! Nothing in a file is executed. No more memory is taken than a small multiple of the file's size:
//! members are not compressed, and tensors together must not hold much more than it.

mod pickle;
mod state;
mod tensor;

use autogrow_core::network::{StateDict, WeightFormat};
use autogrow_core::{Error, Result};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;
use tensor::Tensor;
use zip::{CompressionMethod, ZipArchive};

autogrow_core::register! {
    WeightFormat {
        name: "pytorch",
        origin: env!("CARGO_PKG_NAME"),
        summary: "state dicts that torch.save wrote (.pt, .pth)",
        recognises,
        read,
    }
}

/// Bytes of the longest pickle that is read: names and shapes, a hundred bytes a tensor.
const LONGEST_PICKLE: u64 = 16 << 20;
/// Names that all parameters of a wrapped model begin with.
const WRAPPERS: [&str; 2] = ["module.", "_orig_mod."];

/// What is wrong with a file, and what to do about it.
#[derive(Debug)]
struct Problem {
    what: String,
    hint: &'static str,
}

/// How to write what can be read.
const SAVE: &str = "write it with torch.save(model.state_dict(), path)";
/// What damaged files deserve.
const AGAIN: &str = "copy or write it again";

fn damaged(what: impl Into<String>) -> Problem {
    Problem { what: what.into(), hint: AGAIN }
}

fn other(what: impl Into<String>) -> Problem {
    Problem { what: what.into(), hint: SAVE }
}

/// Whether a file is a zip file, or a pickle that begins with PyTorch's magic number. A safetensors
/// file begins with the length of its header, which may look alike in its first bytes, but is less
/// than 100 million.
fn recognises(bytes: &[u8]) -> bool {
    let zip = bytes.starts_with(b"PK\x03\x04") && bytes.get(4..8).is_none_or(|next| next != [0; 4]);
    zip || is_legacy(bytes)
}

fn is_legacy(bytes: &[u8]) -> bool {
    matches!(bytes, [0x80, 2..=5, 0x8A, 0x0A, ..])
}

fn read(bytes: &[u8], path: &Path) -> Result<StateDict> {
    read_archive(bytes).map_err(|Problem { what, hint }| Error::run(path, what).with_hint(hint))
}

fn read_archive(bytes: &[u8]) -> Result<StateDict, Problem> {
    if is_legacy(bytes) {
        let hint = "read and write it anew with PyTorch 1.6 or later: torch.save(torch.load(a), b)";
        return Err(Problem { what: "is a pickle without a zip file around it".into(), hint });
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| damaged(format!("is not a whole zip file ({error})")))?;
    let folder = folder(&archive)?;
    if let Ok(order) = member(&mut archive, &format!("{folder}byteorder"), 16)
        && order != b"little"
    {
        return Err(other("holds numbers with their bytes in big-endian order"));
    }
    let pickle = member(&mut archive, &format!("{folder}data.pkl"), LONGEST_PICKLE)?;
    let tensors = strip(state::tensors(&pickle)?);
    load(&mut archive, &folder, tensors, bytes.len())
}

/// The folder in the archive that holds all.
fn folder(archive: &ZipArchive<Cursor<&[u8]>>) -> Result<String, Problem> {
    let names: Vec<_> = archive.file_names().collect();
    if names.iter().any(|name| name.ends_with("constants.pkl")) {
        return Err(other("is a TorchScript program, not a state dict"));
    }
    let mut folders = names.iter().filter_map(|name| name.strip_suffix("data.pkl"));
    match (folders.next(), folders.next()) {
        (Some(folder), None) => Ok(folder.into()),
        _ => Err(other("is a zip file, but none that torch.save wrote")),
    }
}

/// A member, which must not be compressed, nor longer than `limit`.
fn member(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    name: &str,
    limit: u64,
) -> Result<Vec<u8>, Problem> {
    let mut file = archive
        .by_name(name)
        .map_err(|error| damaged(format!("{name} cannot be read ({error})")))?;
    if file.compression() != CompressionMethod::Stored || file.size() != file.compressed_size() {
        return Err(other(format!("{name} is compressed, which torch.save never does")));
    }
    if file.size() > limit {
        return Err(damaged(format!("{name} is {} bytes long, more than it can be", file.size())));
    }
    let mut content = Vec::new();
    let read = (&mut file).take(limit).read_to_end(&mut content);
    read.map_err(|error| damaged(format!("{name} cannot be read ({error})")))?;
    Ok(content)
}

/// Names without what wrappers put before them.
fn strip(mut tensors: BTreeMap<String, Tensor>) -> BTreeMap<String, Tensor> {
    for wrapper in WRAPPERS {
        if tensors.keys().all(|name| name.starts_with(wrapper)) {
            let tensor = |(name, tensor): (String, _)| (name[wrapper.len()..].into(), tensor);
            tensors = tensors.into_iter().map(tensor).collect();
        }
    }
    tensors
}

/// Fills tensors with the numbers of their storages.
fn load(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    folder: &str,
    tensors: BTreeMap<String, Tensor>,
    file: usize,
) -> Result<StateDict, Problem> {
    let mut state = StateDict::default();
    let mut taken = 0_usize;
    for (name, tensor) in tensors {
        let Some(float) = tensor.storage.float else {
            return Err(other(format!("{name} holds numbers that are no floats")));
        };
        // Storages may be shared; many views of a large one are no way to take all memory.
        taken = taken.saturating_add(tensor.storage.numbers.saturating_mul(float.bytes()));
        if taken > 4 * file {
            return Err(damaged("has tensors that together are much larger than the file"));
        }
        let key = format!("{folder}data/{}", tensor.storage.key);
        let bytes = member(archive, &key, file as u64)?;
        let entry = tensor.fill(float, &bytes).map_err(|what| damaged(format!("{name} {what}")))?;
        state.0.insert(name, entry);
    }
    Ok(state)
}

#[cfg(test)]
mod tests;
