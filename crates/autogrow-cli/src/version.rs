//! What `--version` says: of which commit the program is, and what is built in.

use std::sync::OnceLock;

/// What can be built in, and whether it is.
const FEATURES: [(&str, bool); 6] = [
    ("cuda", cfg!(feature = "cuda")),
    ("flex", cfg!(feature = "flex")),
    ("mpi", cfg!(feature = "mpi")),
    ("ndarray", cfg!(feature = "ndarray")),
    ("vulkan", cfg!(feature = "vulkan")),
    ("wgpu", cfg!(feature = "wgpu")),
];

/// Version, commit (where it is known), features and backends.
pub(crate) fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let version = env!("CARGO_PKG_VERSION");
        let commit = option_env!("COMMIT_OF_AUTOGROW");
        let commit = commit.map(|commit| format!("commit: {commit}\n")).unwrap_or_default();
        let built_in = FEATURES.iter().filter(|(_, is)| *is).map(|(name, _)| *name);
        let features = built_in.collect::<Vec<_>>().join(", ");
        let backends = autogrow::device::built_in().join(", ");
        format!("{version}\n{commit}features: {features}\nbackends: {backends}")
    })
}
