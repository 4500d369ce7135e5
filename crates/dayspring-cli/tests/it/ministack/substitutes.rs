//! What is put into the templates on their way to ministack.

use serde_json::{Value, json};

/// What is put into a template.
#[derive(Debug)]
pub(super) struct Substitutes {
    /// The ARN of the cluster that the functions are to use, that of its secret, and that of the functions' own.
    pub(super) cluster: String,
    pub(super) secret: String,
    pub(super) function_secret: String,
    pub(super) data_api: String,
    pub(super) layer_root: String,
}

impl Substitutes {
    /// Changes a request's body where it is a template. It is too long for a request to CloudFormation, so it goes through S3.
    pub(super) fn put_into_request(&self, line: &str, body: &mut Vec<u8>) {
        let is_template = line.starts_with("PUT ") && line.contains(".json");
        if is_template && let Ok(mut template) = serde_json::from_slice::<Value>(body) {
            self.put_into(&mut template);
            *body = template.to_string().into_bytes();
        }
    }

    fn put_into(&self, value: &mut Value) {
        if *value == json!({"Fn::GetAtt": ["DatabaseCluster", "MasterUserSecret.SecretArn"]}) {
            *value = Value::from(self.secret.as_str());
        } else if *value == json!({"Fn::GetAtt": ["DatabaseCluster", "DBClusterArn"]}) {
            *value = Value::from(self.cluster.as_str());
        } else if *value == json!({"Ref": "FunctionSecret"}) {
            *value = Value::from(self.function_secret.as_str());
        }
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.put_into(item)),
            Value::Object(members) => {
                if members
                    .get("Type")
                    .is_some_and(|name| name == "AWS::Lambda::Function")
                {
                    let variables = &mut members["Properties"]["Environment"]["Variables"];
                    for service in ["RDS_DATA", "SECRETS_MANAGER"] {
                        variables[format!("AWS_ENDPOINT_URL_{service}")] =
                            self.data_api.as_str().into();
                    }
                    variables["DAYSPRING_LAYER_ROOT"] = self.layer_root.as_str().into();
                }
                members
                    .values_mut()
                    .for_each(|member| self.put_into(member));
            }
            _ => {}
        }
    }
}
