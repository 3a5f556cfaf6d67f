//! A store to ask, of one backend or the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::{CaptionKey, OpenOptions, Store, open};

use crate::postgres::Database;

/// An empty store with what it takes to open it again.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) url: String,
    pub(crate) key: CaptionKey,
    /// What goes away with the world.
    place: Place,
}

enum Place {
    Nowhere,
    Folder(Folder),
    /// Held only to be dropped.
    Server(#[allow(dead_code, reason = "dropping it deletes the database")] Database),
}

impl World {
    pub(crate) async fn memory() -> Self {
        Self::open("memory:".to_owned(), Place::Nowhere).await
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = Folder::new();
        let url = format!("sqlite://{}/a folder/calls?#1.db", folder.0.display());
        Self::open(url, Place::Folder(folder)).await
    }

    pub(crate) async fn postgres(database: Database) -> Self {
        Self::open(database.url.clone(), Place::Server(database)).await
    }

    async fn open(url: String, place: Place) -> Self {
        let key = CaptionKey::random();
        let store = open(&url, OpenOptions::new(key.clone()))
            .await
            .expect("the store opens");
        Self {
            store,
            url,
            key,
            place,
        }
    }

    /// Opens the same database once more, as another process would.
    pub(crate) async fn again(&self) -> Arc<dyn Store> {
        open(&self.url, self.options())
            .await
            .expect("the store opens again")
    }

    pub(crate) fn options(&self) -> OpenOptions {
        OpenOptions::new(self.key.clone())
    }

    /// The folder of an SQLite file, and the file.
    pub(crate) fn files(&self) -> Option<(PathBuf, PathBuf)> {
        match &self.place {
            Place::Folder(folder) => {
                let inner = folder.0.join("a folder");
                Some((inner.clone(), inner.join("calls?#1.db")))
            }
            _ => None,
        }
    }
}

/// A folder of its own that is removed in the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "meeshy-store-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
