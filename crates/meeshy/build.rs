//! Chooses what is embedded as the web client: the built one, or a page that says how to build it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const PLACEHOLDER: &str = "<!doctype html>
<html lang=\"en\">
  <head>
    <meta charset=\"utf-8\" />
    <meta name=\"viewport\" content=\"width=device-width\" />
    <title>Meeshy Calls</title>
  </head>
  <body style=\"font-family: system-ui; margin: 3rem auto; max-width: 32rem; line-height: 1.5\">
    <h1>Meeshy Calls is running</h1>
    <p>This binary was built without the web client. Build both with <code>make build</code>, or run
      <code>make web</code> and build again.</p>
  </body>
</html>
";

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let built = manifest.join("../../web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", built.display());
    let folder = if built.join("index.html").is_file() {
        built.canonicalize()?
    } else {
        placeholder(&out)?
    };
    let folder = folder.to_string_lossy().replace('\\', "/");
    let source = format!(
        "/// The web client's files.\n#[derive(rust_embed::RustEmbed)]\n#[folder = {folder:?}]\nstruct Assets;\n"
    );
    fs::write(out.join("assets.rs"), source)
}

/// Kept out of the source tree: `make` would take it for a finished web client.
fn placeholder(out: &Path) -> io::Result<PathBuf> {
    let folder = out.join("placeholder");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("index.html"), PLACEHOLDER)?;
    Ok(folder)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|error| io::Error::other(format!("{name}: {error}")))
}
