//! [`StateDict`]: a network's numbers by their PyTorch names, in and out, and as safetensors.

use super::Network;
use super::floats::{self, Float};
use super::model_info::{METADATA, ModelInfo};
use super::names::{is_linear, pytorch_name};
use crate::transfer::{read, upload};
use crate::{Error, Result};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// One tensor, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorEntry {
    /// Size of each dimension.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
}

/// Parameters and running statistics by PyTorch name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict(pub BTreeMap<String, TensorEntry>);

impl StateDict {
    /// Everything that `network` has learnt.
    pub fn of(network: &Network) -> Result<Self> {
        let mut reader = Reader { at: At::new(network)?, entries: BTreeMap::new() };
        // Running statistics are written behind by one step; `valid` catches up.
        network.valid().visit(&mut reader);
        Ok(Self(reader.entries))
    }

    /// What the head of `network` has learnt.
    pub(crate) fn of_head(network: &Network) -> Result<Self> {
        let mut reader = Reader { at: At::new(network)?, entries: BTreeMap::new() };
        reader.at.enter("head", "");
        network.head.valid().visit(&mut reader);
        Ok(Self(reader.entries))
    }

    /// `network`, freshly built, with these numbers. Names and shapes must agree exactly;
    /// `num_batches_tracked`, which has no counterpart here, may be there.
    ///
    /// # Errors
    /// [`Error::Run`] about `path`, naming what is missing, left over or of another shape.
    pub fn load_into(self, network: Network, path: &Path) -> Result<Network> {
        let mut writer =
            Writer { at: At::new(&network)?, entries: self.0, missing: vec![], wrong: vec![] };
        let network = network.map(&mut writer);
        let left_over = writer.entries.into_keys().filter(|name| !is_counter(name));
        let left_over: Vec<_> = left_over.collect();
        let problem = if let Some(wrong) = writer.wrong.first() {
            wrong.clone()
        } else if !writer.missing.is_empty() {
            format!("{} tensors are missing: {}", writer.missing.len(), first(&writer.missing))
        } else if !left_over.is_empty() {
            format!("{} tensors belong to another network: {}", left_over.len(), first(&left_over))
        } else {
            return Ok(network);
        };
        Err(Error::run(path, problem).with_hint(format!(
            "the file must hold {} at depth {}, width {}",
            network.blueprint().network,
            network.depth(),
            network.blueprint().width
        )))
    }

    /// How many numbers there are.
    pub fn numbers(&self) -> usize {
        self.0.values().map(|entry| entry.values.len()).sum()
    }

    /// Number of trainable parameters: all but running statistics.
    pub fn parameters(&self) -> usize {
        let trainable = self.0.iter().filter(|(name, _)| !is_statistic(name));
        trainable.map(|(_, entry)| entry.values.len()).sum()
    }

    /// The name of a tensor that holds a number that is none, or an infinite one.
    pub fn not_finite(&self) -> Option<&str> {
        let finite = |entry: &TensorEntry| entry.values.iter().all(|value| value.is_finite());
        self.0.iter().find(|(_, entry)| !finite(entry)).map(|(name, _)| name.as_str())
    }

    /// The bytes of a safetensors file, float32.
    ///
    /// # Errors
    /// [`Error::Run`] where the format refuses, which it does for no network.
    pub fn to_safetensors(&self) -> Result<Vec<u8>> {
        self.serialize(None)
    }

    /// As [`StateDict::to_safetensors`], with a word on the model in the file's metadata, which
    /// other programs pass over.
    ///
    /// # Errors
    /// As [`StateDict::to_safetensors`].
    pub fn to_safetensors_with(&self, info: &ModelInfo) -> Result<Vec<u8>> {
        // One entry: the order of several would differ from file to file.
        self.serialize(Some(HashMap::from([(METADATA.into(), info.to_json()?)])))
    }

    fn serialize(&self, metadata: Option<HashMap<String, String>>) -> Result<Vec<u8>> {
        let bytes: Vec<Vec<u8>> = self.0.values().map(|entry| to_bytes(&entry.values)).collect();
        let views = self.0.iter().zip(&bytes).map(|((name, entry), bytes)| {
            TensorView::new(Dtype::F32, entry.shape.clone(), bytes).map(|view| (name, view))
        });
        views
            .collect::<std::result::Result<Vec<_>, _>>()
            .and_then(|views| safetensors::serialize(views, metadata))
            .map_err(|error| Error::run("model.safetensors", error.to_string()))
    }

    /// Reads a safetensors file's bytes; `path` is for errors.
    ///
    /// # Errors
    /// [`Error::Run`] where the bytes are not safetensors or hold numbers that are no floats.
    pub fn from_safetensors(bytes: &[u8], path: &Path) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| Error::run(path, format!("is not a safetensors file ({error})")))?;
        let mut entries = BTreeMap::new();
        for (name, view) in file.iter() {
            if is_counter(name) {
                continue;
            }
            let float = match view.dtype() {
                Dtype::F32 => Float::F32,
                Dtype::F16 => Float::F16,
                Dtype::BF16 => Float::BF16,
                Dtype::F64 => Float::F64,
                other => {
                    let problem = format!("{name} holds {other:?}, only floats are read");
                    return Err(Error::run(path, problem).with_hint("save it as float32"));
                }
            };
            let values = floats::decode(float, view.data());
            entries.insert(name.to_string(), TensorEntry { shape: view.shape().to_vec(), values });
        }
        Ok(Self(entries))
    }
}

fn first(names: &[String]) -> String {
    let more = if names.len() > 3 { ", ..." } else { "" };
    names[..names.len().min(3)].join(", ") + more
}

/// Whether a tensor counts batches, as PyTorch's batch norms do; it has no counterpart here.
pub fn is_counter(name: &str) -> bool {
    name.ends_with("num_batches_tracked")
}

/// Whether a tensor is a running statistic of a batch norm, and so no parameter.
pub fn is_statistic(name: &str) -> bool {
    name.ends_with("running_mean") || name.ends_with("running_var")
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Where a visitor is in the network.
pub(super) struct At {
    torchvision: bool,
    fields: Vec<String>,
    containers: Vec<String>,
}

impl At {
    pub(super) fn new(network: &Network) -> Result<Self> {
        let torchvision = network.blueprint().stem()?.torchvision;
        Ok(Self { torchvision, fields: vec![], containers: vec![] })
    }

    pub(super) fn enter(&mut self, field: &str, container: &str) {
        self.fields.push(field.into());
        self.containers.push(container.into());
    }

    pub(super) fn exit(&mut self) {
        self.fields.pop();
        self.containers.pop();
    }

    fn container(&self) -> &str {
        self.containers.last().map_or("", String::as_str)
    }

    pub(super) fn name(&self) -> String {
        pytorch_name(&self.fields, self.container(), self.torchvision)
    }

    /// Whether PyTorch keeps this parameter transposed.
    fn transposed(&self, rank: usize) -> bool {
        rank == 2 && is_linear(self.container())
    }
}

fn transpose(matrix: &TensorEntry) -> Vec<f32> {
    let [rows, columns] = [matrix.shape[0], matrix.shape[1]];
    let column = |column: usize| (0..rows).map(move |row| matrix.values[row * columns + column]);
    (0..columns).flat_map(column).collect()
}

struct Reader {
    at: At,
    entries: BTreeMap<String, TensorEntry>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let tensor = if self.at.transposed(D) { tensor.swap_dims(0, 1) } else { tensor };
        let shape = tensor.dims().to_vec();
        let values = read(tensor).iter::<f32>().collect();
        self.entries.insert(self.at.name(), TensorEntry { shape, values });
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.at.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.at.exit();
    }
}

struct Writer {
    at: At,
    entries: BTreeMap<String, TensorEntry>,
    missing: Vec<String>,
    wrong: Vec<String>,
}

impl ModuleMapper for Writer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.at.name();
        let Some(entry) = self.entries.remove(&name) else {
            self.missing.push(name);
            return param;
        };
        let transposed = self.at.transposed(D);
        let mut expected = param.dims().to_vec();
        if transposed {
            expected.reverse();
        }
        if entry.shape != expected {
            let got = &entry.shape;
            self.wrong.push(format!("{name} has the shape {got:?}, expected {expected:?}"));
            return param;
        }
        // Transposed on the host, not as a view: the layout of a matrix decides how its products
        // are rounded, and a network that is read must compute what the one written did.
        let values = if transposed { transpose(&entry) } else { entry.values };
        param.map(|old| {
            let new = upload(TensorData::new(values, old.dims()), &old.device());
            new.set_require_grad(old.is_require_grad())
        })
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.at.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.at.exit();
    }
}
