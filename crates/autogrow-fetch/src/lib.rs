//! The catalogue of data sets, and getting them.
