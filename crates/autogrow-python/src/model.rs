//! [`Model`]: a trained network.

use crate::array::{floats, pixels};
use crate::error::detached;
use autogrow::config::NetworkConfig;
use autogrow::data::Outputs;
use autogrow::network::{SeedNetwork, StateDict, TensorEntry};
use autogrow::registry;
use autogrow::run::ModelFile;
use autogrow_export::{fold_batch_norms, onnx, pytorch_module};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Where computing happens that nobody has named a device for.
const DEVICE: &str = "auto";

/// A trained network, as the engine has it. A network belongs to one thread at a time: each call works on
/// a copy, which shares its tensors.
#[pyclass(frozen, module = "autogrow._autogrow")]
pub(crate) struct Model(Mutex<autogrow::Model>);

impl Model {
    pub(crate) fn new(model: autogrow::Model) -> Self {
        Self(Mutex::new(model))
    }

    fn copy(&self) -> autogrow::Model {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What `compute` makes of the model, with the interpreter's lock free meanwhile.
    fn compute<T: Send>(
        &self,
        py: Python<'_>,
        compute: impl FnOnce(autogrow::Model) -> autogrow::Result<T> + Send,
    ) -> PyResult<T> {
        let model = self.copy();
        detached(py, move || compute(model))
    }
}

#[pymethods]
impl Model {
    /// The model of a file or a run folder.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        detached(py, || autogrow::Model::read(path, DEVICE)).map(Self::new)
    }

    /// The model that `to_bytes` was asked of.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        detached(py, || autogrow::Model::from_bytes(bytes, DEVICE)).map(Self::new)
    }

    /// The bytes of its file, safetensors.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.compute(py, |model| model.to_bytes())?))
    }

    /// Writes its file.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        self.compute(py, |model| model.save(path))
    }

    /// Outputs [images, outputs] as float32, of an array [images, channels, height, width] whose
    /// images have the size `image`.
    fn outputs<'py>(
        &self,
        array: &Bound<'py, PyAny>,
        image: [usize; 3],
        threads: usize,
    ) -> PyResult<Bound<'py, PyByteArray>> {
        let (py, array) = (array.py(), pixels(array)?);
        floats(py, &self.compute(py, |model| model.outputs(&array, image, threads))?)
    }

    /// What its file tells of it, as JSON.
    fn info(&self, py: Python<'_>) -> PyResult<String> {
        self.compute(py, |model| {
            serde_json::to_string(model.info())
                .map_err(|error| autogrow::Error::run("the model", error.to_string()))
        })
    }

    /// Trainable parameters, and multiply-accumulate operations for one image.
    fn size(&self, py: Python<'_>) -> PyResult<(usize, u64)> {
        self.compute(py, |model| {
            let parameters = StateDict::of(model.network())?.parameters();
            Ok((parameters, model.network().macs()?))
        })
    }

    /// Mean and deviation of each value that it gives, in the units of the data; none of classes.
    fn scales(&self) -> Vec<(f64, f64)> {
        match &self.copy().info().outputs {
            Outputs::Values(values) => values.iter().map(|of| (of.mean, of.deviation)).collect(),
            Outputs::Classes(_) | Outputs::Labels(_) => Vec::new(),
        }
    }

    /// The bytes of an ONNX file; `path` is for errors.
    fn to_onnx<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        fold: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.compute(py, move |model| {
            let (graph, state) = (model.network().graph()?, StateDict::of(model.network())?);
            let (graph, state) =
                if fold { fold_batch_norms(&graph, state) } else { (graph, state) };
            onnx(&graph, &state, model.info(), &path)
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Python text that defines the network as a module of PyTorch, `Network`.
    fn pytorch_source(&self, py: Python<'_>) -> PyResult<String> {
        self.compute(py, |model| Ok(pytorch_module(&model.network().graph()?, model.info())))
    }

    /// Parameters and running statistics by PyTorch's name: shape, and float32 numbers.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Vec<Tensor<'py>>> {
        let state = self.compute(py, |model| StateDict::of(model.network()))?;
        let tensors = state.0.into_iter();
        tensors.map(|(name, of)| Ok((name, of.shape, floats(py, &of.values)?))).collect()
    }

    /// The same model with other weights, in the form that `weights` gives.
    fn with_weights(&self, py: Python<'_>, weights: Vec<Weight<'_>>) -> PyResult<Self> {
        let state = state(weights)?;
        let info = self.copy().info().clone();
        detached(py, || {
            let file = ModelFile::of_weights(state, Some(info), Path::new("the state dict"));
            autogrow::Model::of_file(file, DEVICE)
        })
        .map(Self::new)
    }
}

/// Name, shape and float32 numbers of a tensor, on its way out.
type Tensor<'py> = (String, Vec<usize>, Bound<'py, PyByteArray>);

/// The same on its way in.
type Weight<'py> = (String, Vec<usize>, Bound<'py, PyAny>);

fn state(weights: Vec<Weight<'_>>) -> PyResult<StateDict> {
    let entry = |(name, shape, numbers): Weight<'_>| {
        let numbers = pyo3::buffer::PyBuffer::<f32>::get(&numbers)?.to_vec(numbers.py())?;
        Ok((name, TensorEntry { shape, values: numbers }))
    };
    weights.into_iter().map(entry).collect::<PyResult<_>>().map(StateDict)
}

/// A model of the seed network called `network` whose weights come from elsewhere. Depth, width and
/// number of outputs are read off them; `size` is height and width of its images.
#[pyfunction]
pub(crate) fn from_weights(
    py: Python<'_>,
    weights: Vec<Weight<'_>>,
    network: String,
    size: [usize; 2],
) -> PyResult<Model> {
    let state = state(weights)?;
    detached(py, || {
        let mut file = ModelFile::of_weights(state, None, Path::new("the state dict"));
        file.assume(&NetworkConfig { name: network, ..NetworkConfig::default() }, size)?;
        autogrow::Model::of_file(file, DEVICE)
    })
    .map(Model::new)
}

/// Names of the seed networks that are linked, with a line on each and their number of sub-networks.
#[pyfunction]
pub(crate) fn networks(py: Python<'_>) -> PyResult<Vec<(String, String, usize)>> {
    detached(py, || {
        let networks = registry::all::<SeedNetwork>()?.into_iter();
        Ok(networks.map(|of| (of.name.into(), of.summary.into(), of.sub_networks)).collect())
    })
}
