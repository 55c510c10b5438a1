//! The shipped lexicon, compiled once for each build of this program.

use fhirlake::nlp::Lexicon;
use fhirlake::nlp::lexicon::shipped;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

/// Opens it. The compiled value is kept beside the program, in a file that the checksum of the program names: what makes it
/// is all within the program.
pub fn shipped() -> Result<Lexicon, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&std::fs::read(&program).map_err(|error| error.to_string())?);
    let kept = program.with_extension(format!("{:016x}.lexicon", hasher.finish()));
    let bytes = match std::fs::read(&kept) {
        Ok(bytes) => bytes,
        Err(_) => {
            let bytes = shipped::compile().map_err(|error| format!("the lexicon does not compile: {error:?}"))?;
            forget_others(&program);
            // Without the file the next run compiles again.
            let part = kept.with_extension(format!("{}.part", std::process::id()));
            let _ = std::fs::write(&part, &bytes).and_then(|()| std::fs::rename(&part, &kept));
            bytes
        }
    };
    Lexicon::open(bytes.leak()).map_err(|error| format!("the lexicon does not open: {error:?}"))
}

/// Removes what other builds of the program left.
fn forget_others(program: &Path) {
    let Some((folder, name)) = program.parent().zip(program.file_stem().and_then(|name| name.to_str())) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let file = entry.file_name();
        if file.to_str().is_some_and(|file| file.starts_with(&format!("{name}.")) && file.ends_with(".lexicon")) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
