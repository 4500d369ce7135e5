//! `AWS::SecretsManager::Secret`: made in Secrets Manager, with a value that is given or generated.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html>

use serde_json::{Map, Value};

use super::properties::Reader;
use super::{Types, generated_name, provisioned};
use crate::cloudformation::provider::Change::{InPlace, Replaces};
use crate::cloudformation::provider::{
    Attributes, Existing, Failure, Properties, Provisioned, Request, Schema,
};

pub(super) const SCHEMA: Schema = Schema {
    properties: Properties::Known(&[
        ("Description", InPlace),
        ("GenerateSecretString", InPlace),
        ("KmsKeyId", InPlace),
        ("Name", Replaces),
        ("ReplicaRegions", InPlace),
        ("SecretString", InPlace),
        ("Tags", InPlace),
    ]),
    attributes: Attributes::Known(&["Id"]),
};

/// What a generated password may be made of
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>).
const CLASSES: [(&str, &str); 4] = [
    ("ExcludeLowercase", "abcdefghijklmnopqrstuvwxyz"),
    ("ExcludeUppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("ExcludeNumbers", "0123456789"),
    ("ExcludePunctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
];

pub(super) fn create(types: &Types, request: &Request) -> Result<Provisioned, Failure> {
    let reader = Reader::new(&request.properties);
    let name = match reader.optional_text("Name")? {
        Some(name) => name,
        None => generated_name(types.world, request, 512),
    };
    let description = reader.optional_text("Description")?;
    let arn = types
        .secrets
        .create(&name, &value(types, &reader)?, description.as_deref())?;
    Ok(described(&arn))
}

/// The value changes only with what it is made from: it is the password of somebody.
pub(super) fn update(
    types: &Types,
    request: &Request,
    before: Existing,
) -> Result<Provisioned, Failure> {
    let differs = |name| request.properties.get(name) != before.properties.get(name);
    let reader = Reader::new(&request.properties);
    let changed = differs("SecretString") || differs("GenerateSecretString");
    let new_value = changed.then(|| value(types, &reader)).transpose()?;
    let description = reader.optional_text("Description")?;
    types
        .secrets
        .update(&before.physical_id, new_value, description)?;
    Ok(described(&before.physical_id))
}

fn described(arn: &str) -> Provisioned {
    provisioned(arn, [("Id", arn)])
}

fn value(types: &Types, reader: &Reader<'_>) -> Result<String, Failure> {
    match (
        reader.optional_text("SecretString")?,
        reader.structure("GenerateSecretString")?,
    ) {
        (Some(_), Some(_)) => Err(Failure::new(
            "You can't specify both SecretString and GenerateSecretString",
        )),
        (Some(given), None) => Ok(given),
        (None, Some(generate)) => generated(types, &generate),
        (None, None) => generated(types, &Reader::new(&Map::new())),
    }
}

fn generated(types: &Types, generate: &Reader<'_>) -> Result<String, Failure> {
    let length: usize = generate.number("PasswordLength")?.unwrap_or(32);
    let mut excluded = generate
        .optional_text("ExcludeCharacters")?
        .unwrap_or_default();
    for (property, class) in CLASSES {
        if generate.boolean(property)? {
            excluded.push_str(class);
        }
    }
    let space = if generate.boolean("IncludeSpace")? {
        " "
    } else {
        ""
    };
    let alphabet: String = CLASSES
        .iter()
        .flat_map(|(_, class)| class.chars())
        .chain(space.chars())
        .filter(|character| !excluded.contains(*character))
        .collect();
    if alphabet.is_empty() || !(1..=4096).contains(&length) {
        return Err(Failure::new(
            "Invalid request: a password of 1 to 4096 characters cannot be generated from what GenerateSecretString leaves",
        ));
    }
    let password = types.world.characters(&alphabet, length);
    match (
        generate.optional_text("SecretStringTemplate")?,
        generate.optional_text("GenerateStringKey")?,
    ) {
        (None, None) => Ok(password),
        (Some(template), Some(key)) => {
            let mut members: Map<String, Value> =
                serde_json::from_str(&template).map_err(|_| {
                    Failure::new("Invalid request: SecretStringTemplate is no JSON object")
                })?;
            members.insert(key, password.into());
            Ok(Value::Object(members).to_string())
        }
        _ => Err(Failure::new(
            "Invalid request: SecretStringTemplate and GenerateStringKey go together",
        )),
    }
}
