//! Compiles the C part against the headers of the server that the extension is built for.

use std::path::Path;
use std::process::Command;

pub fn compile() -> Result<(), String> {
    let sources = [
        "src/pg/probe.c",
        "src/pg/count.c",
        "src/pg/entries.c",
        "src/pg/implied.c",
        "src/pg/bulk.c",
        "src/pg/bulk_open.c",
        "src/pg/bulk_index.c",
        "src/pg/bulk_keys.c",
        "src/pg/signals.c",
    ];
    let headers = ["src/pg/gin_versions.h", "src/pg/bulk.h"];
    sources.iter().chain(&headers).for_each(|source| println!("cargo:rerun-if-changed={source}"));
    println!("cargo:rerun-if-env-changed=PG_CONFIG");
    let major = ["14", "15", "16", "17", "18"]
        .into_iter()
        .find(|major| std::env::var_os(format!("CARGO_FEATURE_PG{major}")).is_some())
        .ok_or("choose the server's major with one of the features pg14 … pg18")?;
    let config = pg_config(major)?;
    let output = Command::new(&config).arg("--includedir-server").output().map_err(|e| format!("{config}: {e}"))?;
    let include = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    cc::Build::new().files(sources).include(Path::new(&include)).warnings(true).flag_if_supported("-Wno-unused-parameter").compile("fhirlake_server");
    Ok(())
}

/// As pgrx finds it: in `$PGRX_HOME/config.toml`, whose lines read `pg15 = "path"`; `$PG_CONFIG` where there is none.
fn pg_config(major: &str) -> Result<String, String> {
    let home = std::env::var("PGRX_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.pgrx"))).unwrap_or_default();
    let path = format!("{home}/config.toml");
    println!("cargo:rerun-if-changed={path}");
    let found = std::fs::read_to_string(&path).ok().and_then(|text| {
        text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == format!("pg{major}")).then(|| value.trim().trim_matches('"').to_owned())
        })
    });
    found.or_else(|| std::env::var("PG_CONFIG").ok()).ok_or(format!("no pg_config for pg{major} in {path}"))
}
