//! A PostgreSQL server for the time of a test: the one in `MEESHY_TEST_POSTGRES_URL`, or one of our own from Debian's
//! package, reached by a socket in its own folder.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::backend::{Folder, World};

/// A server that is there as long as this value.
pub(crate) struct Server {
    /// Of the database to manage others from.
    url: String,
    own: Option<Own>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        if let Ok(url) = std::env::var("MEESHY_TEST_POSTGRES_URL") {
            return Self { url, own: None };
        }
        let own = Own::start(&Encrypted::No);
        let server = Self {
            url: own.url("postgres"),
            own: Some(own),
        };
        let begun = Instant::now();
        while let Err(error) = PgConnection::connect(&server.url).await {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "PostgreSQL does not start: {error}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }

    /// A store in an empty database.
    pub(crate) async fn world(&self) -> World {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "meeshy_test_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(&self.url)
            .await
            .expect("the server answers");
        let create = format!("CREATE DATABASE {name}");
        admin
            .execute(AssertSqlSafe(create))
            .await
            .expect("a new database");
        let url = match &self.own {
            Some(own) => own.url(&name),
            None => beside(&self.url, &name),
        };
        let admin = self.own.is_none().then(|| self.url.clone());
        World::postgres(Database { url, name, admin }).await
    }
}

/// The URL of another database of the same server.
fn beside(url: &str, name: &str) -> String {
    let (address, options) = url.split_once('?').unwrap_or((url, ""));
    let server = address.rsplit_once('/').map_or(address, |(server, _)| server);
    format!("{server}/{name}?{options}")
}

/// A database of a test's own. On somebody else's server it is dropped in the end.
pub(crate) struct Database {
    pub(crate) url: String,
    name: String,
    admin: Option<String>,
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(admin) = self.admin.take() else { return };
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A runtime cannot be entered from within one: a thread of its own has none.
        let done = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async {
                let mut admin = PgConnection::connect(&admin).await?;
                admin.execute(AssertSqlSafe(drop)).await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        if !matches!(done.join(), Ok(Ok(()))) {
            eprintln!("could not drop the database {}", self.name);
        }
    }
}

/// A server of our own.
pub(crate) struct Own {
    process: Child,
    programs: PathBuf,
    account: Option<Account>,
    folder: Folder,
}

/// Who the server runs as: it refuses to run as root.
#[derive(Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// Whether the server is reached by TLS.
pub(crate) enum Encrypted {
    /// By a socket in its own folder.
    No,
    /// On this port of loopback, with this certificate and key (PEM), and not otherwise.
    Only {
        port: u16,
        certificate: String,
        key: String,
    },
}

impl Own {
    pub(crate) fn start(encrypted: &Encrypted) -> Self {
        let programs = programs();
        let folder = Folder::new();
        let account = (number("id", &["-u"]) == 0).then(|| Account {
            user: number("id", &["-u", "postgres"]),
            group: number("id", &["-g", "postgres"]),
        });
        if let Some(account) = account {
            std::os::unix::fs::chown(&folder.0, Some(account.user), Some(account.group))
                .expect("the folder changes hands");
        }
        let data = folder.0.join("data");
        let made = run_as(&programs.join("initdb"), account)
            .arg("--pgdata")
            .arg(&data)
            .args([
                "--username=meeshy",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ])
            .stdout(Stdio::null())
            .status()
            .expect("initdb runs");
        assert!(made.success(), "initdb failed");
        let mut server = run_as(&programs.join("postgres"), account);
        match encrypted {
            Encrypted::No => server.args(["-c", "listen_addresses="]),
            Encrypted::Only {
                port,
                certificate,
                key,
            } => {
                let put = |name: &str, text: &str| {
                    let path = data.join(name);
                    std::fs::write(&path, text).expect("our own file");
                    std::fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("our own file");
                    if let Some(account) = account {
                        std::os::unix::fs::chown(&path, Some(account.user), Some(account.group))
                            .expect("the file changes hands");
                    }
                };
                put("server.crt", certificate);
                put("server.key", key);
                put("pg_hba.conf", "hostssl all all 127.0.0.1/32 trust\n");
                let port = format!("port={port}");
                server.args(["-c", "ssl=on", "-c", "listen_addresses=127.0.0.1", "-c", &port])
            }
        };
        let process = server
            .arg("-D")
            .arg(&data)
            .args(["-c", "fsync=off", "-c", "max_connections=100", "-k"])
            .arg(&folder.0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres runs");
        Self {
            process,
            programs,
            account,
            folder,
        }
    }

    fn url(&self, database: &str) -> String {
        format!(
            "postgres://meeshy@localhost/{database}?host={}",
            self.folder.0.display()
        )
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let stopped = run_as(&self.programs.join("pg_ctl"), self.account)
            .args(["stop", "-m", "immediate", "-w", "-D"])
            .arg(self.folder.0.join("data"))
            .stdout(Stdio::null())
            .status();
        if !stopped.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Debian's folder of the newest version.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("the package postgresql is installed");
    let mut versions: Vec<(u32, PathBuf)> = versions
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort();
    versions.pop().expect("the package postgresql is installed").1
}

fn run_as(program: &Path, account: Option<Account>) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.current_dir("/");
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

/// The number that a program prints.
fn number(program: &str, arguments: &[&str]) -> u32 {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("the program prints a number")
}
