//! STS: who the caller is, and roles that anyone may take on.

use crate::error::AwsError;
use crate::http::{Answer, Call};
use crate::identity::Identity;
use crate::protocol::query::{Form, Service, unknown_action};
use crate::protocol::{signature, time};
use crate::world::World;

pub(crate) const SERVICE: Service = Service {
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
};

/// Answers STS's query API.
pub(crate) fn answer(identity: &Identity, world: World, call: &Call) -> Answer {
    let form = Form::parse(call);
    let request_id = call.request_id();
    match form.get("Action").unwrap_or_default() {
        "GetCallerIdentity" => SERVICE.answer("GetCallerIdentity", request_id, |xml| {
            xml.text("Arn", format!("arn:aws:iam::{}:root", identity.account));
            xml.text("UserId", &identity.account);
            xml.text("Account", &identity.account);
        }),
        "AssumeRole" => match assume_role(world, &form) {
            Ok(role) => SERVICE.answer("AssumeRole", request_id, |xml| {
                xml.nest("Credentials", |xml| {
                    xml.text("AccessKeyId", &role.access_key_id);
                    xml.text("SecretAccessKey", &role.secret_access_key);
                    xml.text("SessionToken", &role.session_token);
                    xml.text("Expiration", time::iso8601(role.expiration));
                });
                xml.nest("AssumedRoleUser", |xml| {
                    xml.text("AssumedRoleId", &role.id);
                    xml.text("Arn", &role.arn);
                });
            }),
            Err(error) => SERVICE.error(&error, request_id),
        },
        action => SERVICE.error(&unknown_action(action), request_id),
    }
}

struct AssumedRole {
    id: String,
    arn: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: u64,
}

fn assume_role(world: World, form: &Form) -> Result<AssumedRole, AwsError> {
    let arn = form.require("RoleArn")?;
    let session = form.require("RoleSessionName")?;
    let seconds: u64 = form
        .get("DurationSeconds")
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or(3600);
    // arn:aws:iam::ACCOUNT:role/PATH/NAME becomes arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION.
    let mut parts = arn.split(':');
    let account = parts.nth(4).unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default();
    if !arn.starts_with("arn:") || account.is_empty() {
        return Err(AwsError::validation(
            "ValidationError",
            format!("{arn} is invalid"),
        ));
    }
    let access_key_id = format!("ASIA{}", world.capitals(16));
    Ok(AssumedRole {
        id: format!("AROA{}:{session}", world.capitals(17)),
        arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"),
        secret_access_key: signature::session_secret(&access_key_id),
        access_key_id,
        session_token: world.hex_digits(64),
        expiration: world.now_millis() + seconds * 1000,
    })
}
