//! The data directory: the embedded database, and secrets that were made once and must stay the same.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::run::Unsuitable;

/// Nobody else may read it.
const PRIVATE_FILE: u32 = 0o600;
/// Nobody else may look into it.
const PRIVATE_DIRECTORY: u32 = 0o700;
/// The embedded database's file.
const DATABASE: &str = "meeshy.db";
/// Holds the address of the node in the server's process.
const NODE: &str = "node-address";

/// Whether something that is not there is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Made and kept.
    Make,
    /// Only looked at: nothing is written.
    Look,
}

/// A directory that is made when something is put into it.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct DataDirectory {
    /// Where the database and secrets are kept that are not given otherwise
    #[arg(
        id = "data_dir",
        long = "data-dir",
        env = "DATA_DIR",
        default_value = "meeshy-data",
        value_name = "DIRECTORY"
    )]
    path: PathBuf,
}

impl DataDirectory {
    /// The URL of the embedded database.
    pub(crate) fn database_url(&self) -> String {
        format!("sqlite://{}", self.path.join(DATABASE).display())
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Tells `meeshy doctor` where the node in the server's process is. A directory that nobody made, because
    /// everything was given, stays unmade.
    pub(crate) fn tell_node_address(&self, address: SocketAddr) {
        if self.path.is_dir()
            && let Err(error) = self.put(&self.file(NODE), &address.to_string())
        {
            tracing::warn!(%error, "`meeshy doctor` will not find the media node");
        }
    }

    /// Where the node in the server's process is, or was when it last ran.
    pub(crate) fn node_address(&self) -> Option<SocketAddr> {
        fs::read_to_string(self.file(NODE)).ok()?.trim().parse().ok()
    }

    /// Puts a private file there, in place of the one that is there; whoever reads sees either.
    pub(crate) fn put(&self, path: &Path, text: &str) -> Result<(), Unsuitable> {
        self.make()?;
        let beside = path.with_extension(format!("new-{}", std::process::id()));
        // Left over by a process of the same number that was killed.
        let _ = fs::remove_file(&beside);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(PRIVATE_FILE);
        let written = options.open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        written.map_err(|error| self.complaint(path, "written", &error))
    }

    /// Makes the directory unless it is there.
    pub(crate) fn make(&self) -> Result<(), Unsuitable> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(PRIVATE_DIRECTORY)
            .create(&self.path);
        made.map_err(|error| self.complaint(&self.path, "made", &error))
    }

    /// Gives a setting its secret: what somebody said, or what is kept under this name, made now if need be.
    pub(crate) fn secret(
        &self,
        setting: &mut Option<String>,
        name: &str,
        kept: Kept,
    ) -> Result<(), Unsuitable> {
        if edge::setting::given(setting).is_some() {
            return Ok(());
        }
        let path = self.path.join(name);
        let secret = match (self.read(&path)?, kept) {
            (Some(secret), _) => secret,
            (None, Kept::Make) => self.keep(&path, edge::random::secret())?,
            (None, Kept::Look) => edge::random::secret(),
        };
        *setting = Some(secret);
        Ok(())
    }

    fn read(&self, path: &Path) -> Result<Option<String>, Unsuitable> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.complaint(path, "read", &error)),
        };
        let metadata = fs::metadata(path).map_err(|error| self.complaint(path, "read", &error))?;
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Unsuitable::new(format!(
                "DATA_DIR: others may read {}; `chmod 600` it, and remove it to have a new one made if they did",
                path.display()
            )));
        }
        Ok(Some(text.trim().to_owned()))
    }

    /// Writes a secret; of two processes that start at once, both use the first one's.
    fn keep(&self, path: &Path, secret: String) -> Result<String, Unsuitable> {
        self.make()?;
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(PRIVATE_FILE)
            .open(path);
        let mut file: File = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Ok(self.read(path)?.unwrap_or(secret));
            }
            Err(error) => return Err(self.complaint(path, "written", &error)),
        };
        let written = writeln!(file, "{secret}").and_then(|()| file.sync_all());
        written.map_err(|error| self.complaint(path, "written", &error))?;
        Ok(secret)
    }

    fn complaint(&self, path: &Path, what: &str, error: &std::io::Error) -> Unsuitable {
        Unsuitable::new(format!(
            "DATA_DIR: {} cannot be {what} ({}); set DATA_DIR to a directory of your own",
            path.display(),
            error.kind()
        ))
    }
}

/// A directory that is removed with the test.
#[cfg(test)]
pub(crate) struct Scratch(PathBuf);

#[cfg(test)]
impl Scratch {
    pub(crate) fn new() -> Self {
        let name = format!("meeshy-data-{}", edge::random::hex(&edge::random::bytes::<8>()));
        Self(std::env::temp_dir().join(name))
    }

    pub(crate) fn data(&self) -> DataDirectory {
        DataDirectory { path: self.0.clone() }
    }
}

#[cfg(test)]
impl Drop for Scratch {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(data: &DataDirectory, kept: Kept) -> Result<String, Unsuitable> {
        let mut setting = None;
        data.secret(&mut setting, "jwt-secret", kept)?;
        Ok(setting.expect("a secret"))
    }

    #[test]
    fn a_secret_is_made_once_and_nobody_else_may_read_it() {
        let scratch = Scratch::new();
        let first = secret(&scratch.data(), Kept::Make).expect("it is made");
        assert_eq!(first.len(), 64);
        assert_eq!(secret(&scratch.data(), Kept::Make).expect("it is there"), first);
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&scratch.0.join("jwt-secret")), 0o600);
        assert_eq!(mode(&scratch.0), 0o700);
    }

    #[test]
    fn what_is_given_is_not_kept() {
        let scratch = Scratch::new();
        let mut setting = Some("given".to_owned());
        let done = scratch.data().secret(&mut setting, "jwt-secret", Kept::Make);
        assert!(done.is_ok() && setting.as_deref() == Some("given"));
        assert!(!scratch.0.exists());
    }

    #[test]
    fn looking_makes_nothing() {
        let scratch = Scratch::new();
        assert!(secret(&scratch.data(), Kept::Look).is_ok());
        assert!(!scratch.0.exists());
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused() {
        let scratch = Scratch::new();
        secret(&scratch.data(), Kept::Make).expect("it is made");
        let path = scratch.0.join("jwt-secret");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("our own file");
        let refused = secret(&scratch.data(), Kept::Make).expect_err("others may read it");
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}
