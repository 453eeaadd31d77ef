//! Arrays in and out, through the buffer protocol: NumPy's, and whatever else speaks it.

use autogrow::Pixels;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyByteArray;

/// The numbers of an array of uint8, float32 or float64, in C order.
///
/// # Errors
/// `TypeError` for another type.
pub(crate) fn pixels(array: &Bound<'_, PyAny>) -> PyResult<Pixels> {
    let py = array.py();
    if let Ok(bytes) = PyBuffer::<u8>::get(array) {
        return Ok(bytes.to_vec(py)?.into());
    }
    if let Ok(floats) = PyBuffer::<f32>::get(array) {
        return Ok(floats.to_vec(py)?.into());
    }
    if let Ok(doubles) = PyBuffer::<f64>::get(array) {
        return Ok(doubles.to_vec(py)?.into());
    }
    Err(PyTypeError::new_err("arrays are of uint8, float32 or float64"))
}

/// A bytearray of float32, of which `numpy.frombuffer` makes an array that can be written to.
pub(crate) fn floats<'py>(py: Python<'py>, numbers: &[f32]) -> PyResult<Bound<'py, PyByteArray>> {
    PyByteArray::new_with(py, 4 * numbers.len(), |bytes| {
        for (bytes, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            bytes.copy_from_slice(&number.to_ne_bytes());
        }
        Ok(())
    })
}
