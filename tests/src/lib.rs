//! Home of the tests that cross crates; see `tests/`.
