//! The binary as an operator uses it beside running servers: `meeshy drain` and `meeshy flags`.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const SECRET: &str = "a secret of more than thirty-two bytes";

fn meeshy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meeshy"));
    command.args(arguments).env_clear();
    command
}

fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it speaks UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// A media node as a process of its own, ended with the test.
struct NodeProcess {
    child: Child,
    url: String,
}

impl NodeProcess {
    fn start() -> Self {
        let mut child = meeshy(&["media"])
            .envs([("PORT", "0"), ("BIND_IP", "127.0.0.1"), ("JWT_SECRET", SECRET)])
            .envs([
                ("RTC_MIN_PORT", "0"),
                ("RTC_MAX_PORT", "0"),
                ("WORKERS", "1"),
                ("LOG_LEVEL", "error"),
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines();
        let ready = lines
            .find_map(|line| line.ok()?.split_once("is ready: ").map(|(_, url)| url.to_owned()))
            .expect("it says where it is");
        Self { child, url: ready }
    }

    /// Asks whether it takes rooms.
    fn is_ready(&self) -> bool {
        let (code, ..) = run(&mut meeshy(&["health", "--ready", "--url", &self.url]));
        code == Some(0)
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_node_is_drained_and_taken_back() {
    let node = NodeProcess::start();
    assert!(node.is_ready());
    let drain = |more: &[&str]| {
        let words = [&["drain", "--url", &node.url], more].concat();
        run(meeshy(&words).env("JWT_SECRET", SECRET))
    };
    let (code, said, complained) = drain(&["--wait", "5"]);
    assert_eq!(code, Some(0), "{complained}");
    assert!(
        said.contains("takes no more rooms") && said.contains("empty"),
        "{said}"
    );
    assert!(!node.is_ready());
    // Empty and drained, it still runs: to end it is another thing.
    let (code, said, _) = drain(&["--undo"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("draining: false"), "{said}");
    assert!(node.is_ready());
}

#[test]
fn a_drain_that_cannot_be_says_why() {
    let (code, _, complained) = run(&mut meeshy(&["drain"]));
    assert_eq!(code, Some(78));
    assert!(complained.contains("JWT_SECRET"), "{complained}");
    let nobody = run(meeshy(&["drain", "--url", "http://127.0.0.1:1"]).env("JWT_SECRET", SECRET));
    assert_eq!(nobody.0, Some(1), "{}", nobody.2);
    assert!(nobody.2.contains("does not answer"), "{}", nobody.2);
    let node = NodeProcess::start();
    let wrong = "another secret of more than thirty-two bytes";
    let refused = run(meeshy(&["drain", "--url", &node.url]).env("JWT_SECRET", wrong));
    assert_eq!(refused.0, Some(1));
    assert!(refused.2.contains("refuses"), "{}", refused.2);
    assert!(node.is_ready());
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("meeshy-operate-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn flags_are_kept_in_the_database() {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).expect("a folder");
    let url = format!("sqlite://{}", folder.0.join("flags.db").display());
    let flags = |words: &[&str]| run(meeshy(&[&["flags"], words].concat()).env("DATABASE_URL", &url));
    let line = |said: &str, start: &str| {
        let found = said.lines().find(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("{start} in {said}")).to_owned()
    };
    let (code, said, complained) = flags(&["set", "sfu=off", "sfu-percent=10"]);
    assert_eq!(code, Some(0), "{complained}");
    assert_eq!(line(&said, "sfu:"), "sfu: off");
    let (_, said, _) = flags(&[]);
    assert_eq!(line(&said, "sfu:"), "sfu: off", "another process reads it");
    assert_eq!(line(&said, "sfu_percent:"), "sfu_percent: 10");
    let (_, said, _) = flags(&["reset", "sfu"]);
    assert_eq!(line(&said, "sfu:"), "sfu: as set (FEATURE_SFU)");
    assert_eq!(line(&said, "sfu_percent:"), "sfu_percent: 10");
    let (code, _, complained) = flags(&["set", "recording=on"]);
    assert_eq!(code, Some(1));
    assert!(complained.contains("not built"), "{complained}");
}
