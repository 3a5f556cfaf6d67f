//! Where a database is.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::Dialect;
use crate::{OpenError, StoreError};

/// Where a database is.
pub(crate) enum Target {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL server.
    Server(String),
}

impl Target {
    pub(crate) fn file(path: &str) -> Result<Self, OpenError> {
        let bad = |reason: &str| OpenError::BadUrl {
            reason: reason.to_owned(),
        };
        if path.is_empty() {
            return Err(bad("sqlite:// needs the path of a file"));
        }
        if path == ":memory:" {
            return Err(bad("use memory: for a store without a file"));
        }
        let path = std::path::absolute(path).map_err(|error| bad(&error.to_string()))?;
        if path.to_str().is_none() {
            return Err(bad("the path is not UTF-8"));
        }
        Ok(Self::File(path))
    }

    pub(crate) fn server(url: &str) -> Self {
        Self::Server(url.to_owned())
    }

    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::File(_) => Dialect::Sqlite,
            Self::Server(_) => Dialect::Postgres,
        }
    }

    /// Whether there is something to connect to; only known for files.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::File(path) => path.exists(),
            Self::Server(_) => true,
        }
    }

    /// Makes the file of an SQLite database and its folder when they are missing. Nobody but the owner may read it.
    pub(crate) fn make_file(&self) -> Result<(), StoreError> {
        let Self::File(path) = self else { return Ok(()) };
        let unavailable = |error: std::io::Error| StoreError::Unavailable(Box::new(error));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(unavailable)?;
        }
        match private_file(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unavailable(error)),
            _ => Ok(()),
        }
    }

    /// The address as `sqlx` wants it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Server(url) => url.clone(),
            Self::File(path) => {
                let mut url = "sqlite://".to_owned();
                for byte in path.to_string_lossy().bytes() {
                    match byte {
                        b'/' | b'-' | b'_' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                            url.push(char::from(byte));
                        }
                        _ => url.push_str(&format!("%{byte:02X}")),
                    }
                }
                url + "?mode=rw"
            }
        }
    }
}

/// Makes an empty file that only its owner may read; SQLite gives the files beside it the same rights.
fn private_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(drop)
}
