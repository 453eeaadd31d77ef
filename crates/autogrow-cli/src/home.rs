//! The home folder in paths that no shell has looked at.

use autogrow::{Error, Result};
use std::path::{Path, PathBuf};

/// The path at `key` with the home folder in place of `~`, which a shell expands only at the beginning
/// of a word.
///
/// # Errors
/// [`Error::Config`] where it is that of another user.
pub(crate) fn without_tilde(key: &str, path: &Path) -> Result<PathBuf> {
    let mut parts = path.components();
    let first = parts.next().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let Some(user) = first.as_deref().and_then(|first| first.strip_prefix('~')) else {
        return Ok(path.into());
    };
    let home = std::env::home_dir().filter(|home| user.is_empty() && !home.as_os_str().is_empty());
    match home {
        // A folder may have such a name.
        _ if path.exists() => Ok(path.into()),
        Some(home) => Ok(home.join(parts.as_path())),
        None => {
            let problem = format!("= {}: `~{user}` is not expanded here", path.display());
            Err(Error::config(key, problem).with_hint("write the whole path"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_folder_is_put_in_place_of_a_tilde() {
        let home = std::env::home_dir().unwrap();
        let of = |path: &str| without_tilde("data.dir", Path::new(path));
        assert_eq!(of("~/pets").unwrap(), home.join("pets"));
        assert_eq!(of("~").unwrap(), home);
        assert_eq!(of("a/~/b").unwrap(), Path::new("a/~/b"));
        assert_eq!(of("").unwrap(), Path::new(""));
        assert!(of("~nobody/pets").unwrap_err().to_string().contains("`~nobody` is not expanded"));
    }
}
