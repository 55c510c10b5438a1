//! Files below the data directory that all backends read in place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use pgrx::pg_sys;

/// Where the files are: a folder of the data directory that only the server may read.
pub fn folder() -> PathBuf {
    // SAFETY: the server sets it once, before there are backends.
    let data = unsafe { std::ffi::CStr::from_ptr(pg_sys::DataDir) };
    Path::new(std::ffi::OsStr::new(data.to_str().unwrap_or("."))).join("fhirlake")
}

/// The bytes of a file; they stay mapped as long as this process lives.
pub fn map(path: &Path) -> io::Result<&'static [u8]> {
    let file = File::open(path)?;
    // SAFETY: the file was written under another name before it got this one, and is never written again; it may be unlinked.
    // Whoever may write to the data directory by hand may do worse.
    let mapped = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Box::leak(Box::new(mapped)))
}

/// Makes a file of these bytes: under a name of its own first, so that nobody sees a part of it.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let mut own = path.as_os_str().to_owned();
    own.push(format!(".{}", std::process::id()));
    let own = PathBuf::from(own);
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&own).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&own, path));
    if done.is_err() {
        // what is left of it is of no use to anybody
        let _ = fs::remove_file(&own);
    }
    done
}
