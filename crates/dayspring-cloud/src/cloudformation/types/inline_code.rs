//! `Code.ZipFile`: a function's source in the template, which CloudFormation puts into a file named `index`
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html>), beside
//! the module by which such a function answers for a custom resource.

use std::io::{Cursor, Write};

use bytes::Bytes;
use zip::ZipWriter;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;

use crate::cloudformation::provider::Failure;

/// The package may not be larger, packed; source of this size is always refused here.
const SOURCE_BYTES_MAX: usize = 4 * 1024 * 1024;

const PYTHON_RESPONSE: (&str, &str) =
    ("cfnresponse.py", include_str!("inline_code/cfnresponse.py"));
const NODE_RESPONSE: (&str, &str) = (
    "node_modules/cfn-response/index.js",
    include_str!("inline_code/cfn-response.js"),
);

/// The package that CloudFormation would make.
pub(super) fn package(source: &str, runtime: &str) -> Result<Bytes, Failure> {
    let (index, response) = if runtime.starts_with("python") {
        ("index.py", PYTHON_RESPONSE)
    } else if runtime.starts_with("nodejs") {
        ("index.js", NODE_RESPONSE)
    } else {
        return Err(Failure::new(format!(
            "ZipFile can only be used when Runtime is a version of nodejs or python, not {runtime}"
        )));
    };
    if source.len() > SOURCE_BYTES_MAX {
        return Err(Failure::new("the code in ZipFile has more than 4 MB"));
    }
    zip(&[(index, source), response])
        .map_err(|error| Failure::new(format!("the code in ZipFile cannot be packed: {error}")))
}

fn zip(files: &[(&str, &str)]) -> ZipResult<Bytes> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        // The same bytes for the same source: what did not change keeps its digest.
        writer.start_file(*name, SimpleFileOptions::DEFAULT.unix_permissions(0o644))?;
        writer.write_all(text.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_source_is_a_file_named_index_beside_the_answering_module() {
        let names = |runtime: &str| -> Vec<String> {
            let bytes = package("source", runtime).unwrap();
            let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
            (0..archive.len())
                .map(|index| {
                    archive
                        .by_index(index)
                        .unwrap()
                        .name()
                        .unwrap()
                        .into_owned()
                })
                .collect()
        };
        assert_eq!(names("python3.13"), ["index.py", "cfnresponse.py"]);
        assert_eq!(
            names("nodejs22.x"),
            ["index.js", "node_modules/cfn-response/index.js"]
        );
        assert_eq!(
            package("a", "python3.13").unwrap(),
            package("a", "python3.12").unwrap()
        );
        insta::assert_snapshot!(package("a", "provided.al2023").unwrap_err().reason, @"ZipFile can only be used when Runtime is a version of nodejs or python, not provided.al2023");
    }
}
