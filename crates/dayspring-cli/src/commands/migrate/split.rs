use std::path::PathBuf;

use clap::Args;
use dayspring_migrate::{Place, ScriptError};
use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::ui::Ui;

/// Print the statements of a script, as the `mysql` client would send them
#[derive(Debug, Args)]
pub(crate) struct SplitArgs {
    /// The script
    file: PathBuf,
    /// Print an array of {"start", "end", "line", "text"}: byte offsets, and the line of the first byte counted from 1
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Statement<'a> {
    start: usize,
    end: usize,
    line: usize,
    text: &'a str,
}

pub(super) fn split(ui: Ui, args: &SplitArgs) -> Result<(), Error> {
    let bytes = std::fs::read(&args.file).map_err(Error::read(&args.file))?;
    let name = args.file.display().to_string();
    let source = String::from_utf8(bytes).map_err(|error| Error::Scripts {
        report: format!(
            "error: {name} is not UTF-8: the byte at offset {} begins no character",
            error.utf8_error().valid_up_to()
        ),
    })?;
    let spans = dayspring_migrate::split(&source).map_err(|source_error| {
        let place = Place::new(&name, &source, source_error.start..source_error.end);
        Error::scripts(ScriptError::Split {
            place: Box::new(place),
            source: source_error,
        })
    })?;
    let statements = spans.iter().map(|span| Statement {
        start: span.start,
        end: span.end,
        line: span.line,
        text: &source[span.start..span.end],
    });
    // A dump may be large: its statements are written as they go by. Who closes the pipe does not want to read on.
    drop(ui.results(|out| {
        if args.json {
            return serde_json::Serializer::pretty(&mut *out)
                .collect_seq(statements)
                .map_err(std::io::Error::from)
                .and_then(|()| writeln!(out));
        }
        for (index, statement) in statements.enumerate() {
            let Statement { line, text, .. } = statement;
            writeln!(out, "-- {} ({name}:{line})\n{text};\n", index + 1)?;
        }
        Ok(())
    }));
    Ok(())
}
