//! An artifact that is one file: `jar` and `other`.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::{Refusal, Unpacker, sniff};
use crate::fetch::Fetched;
use crate::path::EntryPath;

pub(super) fn read(
    unpacker: &mut Unpacker<'_>,
    mut file: File,
    fetched: &Fetched,
    name: &EntryPath,
    jar: bool,
) -> Result<(), Refusal> {
    let mut start = Vec::new();
    file.by_ref().take(sniff::SNIFF_BYTES as u64).read_to_end(&mut start).map_err(Refusal::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(Refusal::Io)?;
    if jar && !sniff::is_zip(&start) {
        let kind = fetched.content_type().map_or_else(String::new, |kind| {
            format!(", and the server called it `{}`", crate::path::shown(kind.as_bytes()))
        });
        unpacker.summary.remark(|| format!("the jar is not a jar: {}{kind}", sniff::describe(&start)));
    }
    unpacker.file(name.as_str().as_bytes(), false, fetched.size(), &mut file)
}
