//! What `--version` says: of which commit the program is, and what is built in.

use std::sync::OnceLock;

/// Backends that can be built in, and whether they are.
const FEATURES: [(&str, bool); 5] = [
    ("cuda", cfg!(feature = "cuda")),
    ("flex", cfg!(feature = "flex")),
    ("ndarray", cfg!(feature = "ndarray")),
    ("tch", cfg!(feature = "tch")),
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
        let backends = crate::device::built_in().join(", ");
        format!("{version}\n{commit}features: {features}\nbackends: {backends}")
    })
}
