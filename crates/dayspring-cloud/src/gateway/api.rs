//! An API as it is described: resources, methods, deployments, stages. What is kept between runs, and the rules that AWS
//! holds changes to.
//!
//! Pure: ids and the time come as arguments.

use std::collections::BTreeMap;

use ::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::{GatewayResponseSpec, MethodSpec, RestApiSpec, StageSpec};
use crate::error::AwsError;

/// Every API of the service, by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Apis {
    pub(super) apis: BTreeMap<String, Api>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Api {
    pub(super) spec: RestApiSpec,
    pub(super) created_unix_millis: u64,
    pub(super) root: String,
    /// By id.
    pub(super) resources: BTreeMap<String, Resource>,
    /// By response type.
    pub(super) gateway_responses: BTreeMap<String, GatewayResponseSpec>,
    pub(super) deployments: BTreeMap<String, Deployment>,
    pub(super) stages: BTreeMap<String, StageSpec>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Resource {
    /// `None`: the root.
    pub(super) parent: Option<String>,
    pub(super) path_part: String,
    pub(super) path: String,
    /// By HTTP method.
    pub(super) methods: BTreeMap<String, MethodSpec>,
}

/// What a stage serves: the API as it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Deployment {
    pub(super) description: String,
    pub(super) created_unix_millis: u64,
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) gateway_responses: Vec<GatewayResponseSpec>,
    pub(super) binary_media_types: Vec<String>,
}

impl Apis {
    pub(super) fn create(&mut self, id: String, root: String, spec: RestApiSpec, now: u64) {
        let resource = Resource {
            parent: None,
            path_part: String::new(),
            path: "/".to_owned(),
            methods: BTreeMap::new(),
        };
        let api = Api {
            spec,
            created_unix_millis: now,
            resources: BTreeMap::from([(root.clone(), resource)]),
            root,
            gateway_responses: BTreeMap::new(),
            deployments: BTreeMap::new(),
            stages: BTreeMap::new(),
        };
        self.apis.insert(id, api);
    }

    pub(super) fn api(&mut self, id: &str) -> Result<&mut Api, AwsError> {
        self.apis
            .get_mut(id)
            .ok_or_else(|| not_found(format!("Invalid API identifier specified {id}")))
    }

    pub(super) fn delete(&mut self, id: &str) -> Result<(), AwsError> {
        self.api(id)?;
        self.apis.remove(id);
        Ok(())
    }
}

impl Api {
    fn resource(&mut self, id: &str) -> Result<&mut Resource, AwsError> {
        self.resources
            .get_mut(id)
            .ok_or_else(|| not_found("Invalid Resource identifier specified"))
    }

    pub(super) fn create_resource(
        &mut self,
        id: String,
        parent: &str,
        path_part: &str,
    ) -> Result<(), AwsError> {
        let above = self.resource(parent)?.clone();
        check_path_part(path_part)?;
        if above.path_part.ends_with("+}") {
            return Err(bad(format!(
                "Cannot create a child of a resource with a greedy path variable: {}",
                above.path_part
            )));
        }
        for (_, sibling) in self.children(parent) {
            if sibling.path_part == path_part {
                return Err(AwsError::new(
                    StatusCode::CONFLICT,
                    "ConflictException",
                    format!(
                        "Another resource with the same parent already has this name: {path_part}"
                    ),
                ));
            }
            let is_variable = |part: &str| part.starts_with('{') && !part.ends_with("+}");
            if is_variable(path_part) && is_variable(&sibling.path_part) {
                return Err(bad(format!(
                    "A sibling ({}) of this resource already has a variable path part -- only one is allowed",
                    sibling.path_part
                )));
            }
        }
        let path = format!("{}/{path_part}", above.path.trim_end_matches('/'));
        let resource = Resource {
            parent: Some(parent.to_owned()),
            path_part: path_part.to_owned(),
            path,
            methods: BTreeMap::new(),
        };
        self.resources.insert(id, resource);
        Ok(())
    }

    fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = (&'a String, &'a Resource)> {
        self.resources
            .iter()
            .filter(move |(_, resource)| resource.parent.as_deref() == Some(parent))
    }

    /// With all that is below it.
    pub(super) fn delete_resource(&mut self, id: &str) -> Result<(), AwsError> {
        if id == self.root {
            return Err(bad("Root resource cannot be deleted".to_owned()));
        }
        self.resource(id)?;
        let mut gone = vec![id.to_owned()];
        while let Some(id) = gone.pop() {
            gone.extend(self.children(&id).map(|(child, _)| child.clone()));
            self.resources.remove(&id);
        }
        Ok(())
    }

    pub(super) fn put_method(&mut self, resource: &str, spec: MethodSpec) -> Result<(), AwsError> {
        self.resource(resource)?
            .methods
            .insert(spec.http_method.clone(), spec);
        Ok(())
    }

    pub(super) fn delete_method(&mut self, resource: &str, method: &str) -> Result<(), AwsError> {
        self.resource(resource)?
            .methods
            .remove(method)
            .map(drop)
            .ok_or_else(|| not_found("Invalid Method identifier specified"))
    }

    pub(super) fn deploy(
        &mut self,
        id: String,
        description: &str,
        now: u64,
    ) -> Result<(), AwsError> {
        let methods = self
            .resources
            .values()
            .any(|resource| !resource.methods.is_empty());
        if !methods {
            return Err(bad("The REST API doesn't contain any methods".to_owned()));
        }
        let deployment = Deployment {
            description: description.to_owned(),
            created_unix_millis: now,
            resources: self.resources.clone(),
            gateway_responses: self.gateway_responses.values().cloned().collect(),
            binary_media_types: self.spec.binary_media_types.clone(),
        };
        self.deployments.insert(id, deployment);
        Ok(())
    }

    pub(super) fn delete_deployment(&mut self, id: &str) -> Result<(), AwsError> {
        if self.stages.values().any(|stage| stage.deployment_id == id) {
            return Err(bad(
                "Active stages pointing to this deployment must be moved or deleted".to_owned(),
            ));
        }
        self.deployments
            .remove(id)
            .map(drop)
            .ok_or_else(|| not_found("Invalid Deployment identifier specified"))
    }

    pub(super) fn put_stage(&mut self, mut spec: StageSpec, now: u64) -> Result<(), AwsError> {
        let name_is_good = !spec.name.is_empty()
            && spec
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if !name_is_good {
            return Err(bad("Stage name only allows a-zA-Z0-9_-".to_owned()));
        }
        if !self.deployments.contains_key(&spec.deployment_id) {
            return Err(bad("Deployment id does not exist".to_owned()));
        }
        let before = self.stages.get(&spec.name);
        spec.described.created_unix_millis =
            before.map_or(now, |before| before.described.created_unix_millis);
        spec.described.updated_unix_millis = now;
        self.stages.insert(spec.name.clone(), spec);
        Ok(())
    }

    pub(super) fn delete_stage(&mut self, name: &str) -> Result<(), AwsError> {
        self.stages
            .remove(name)
            .map(drop)
            .ok_or_else(|| not_found("Invalid stage identifier specified"))
    }
}

fn check_path_part(part: &str) -> Result<(), AwsError> {
    let name = part
        .strip_prefix('{')
        .and_then(|part| part.strip_suffix('}'))
        .map_or(part, |name| name.strip_suffix('+').unwrap_or(name));
    let good = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-:~$".contains(&byte));
    if good {
        Ok(())
    } else {
        Err(bad("Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.".to_owned()))
    }
}

fn bad(message: String) -> AwsError {
    AwsError::bad_request("BadRequestException", message)
}

pub(super) fn not_found(message: impl Into<String>) -> AwsError {
    AwsError::new(StatusCode::NOT_FOUND, "NotFoundException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        let mut apis = Apis::default();
        let spec = RestApiSpec {
            name: "blog".to_owned(),
            description: String::new(),
            binary_media_types: Vec::new(),
            described: super::super::ApiDescription::default(),
        };
        apis.create("abc".to_owned(), "root".to_owned(), spec, 0);
        apis.apis.remove("abc").unwrap()
    }

    #[test]
    fn a_resource_has_the_path_of_its_parents() {
        let mut api = api();
        api.create_resource("1".to_owned(), "root", "posts")
            .unwrap();
        api.create_resource("2".to_owned(), "1", "{slug}").unwrap();
        assert_eq!(api.resources["2"].path, "/posts/{slug}");
        api.delete_resource("1").unwrap();
        assert_eq!(api.resources.len(), 1, "what is below goes too");
    }

    #[test]
    fn changes_that_aws_refuses_are_refused_in_its_words() {
        let mut api = api();
        api.create_resource("1".to_owned(), "root", "posts")
            .unwrap();
        api.create_resource("2".to_owned(), "1", "{slug}").unwrap();
        api.create_resource("3".to_owned(), "1", "{rest+}").unwrap();
        let mut messages = Vec::new();
        for (parent, part) in [
            ("root", "posts"),
            ("1", "{id}"),
            ("3", "x"),
            ("1", "a b"),
            ("9", "x"),
        ] {
            let error = api.create_resource("4".to_owned(), parent, part);
            messages.push(error.unwrap_err().to_string());
        }
        messages.push(api.deploy("d".to_owned(), "", 0).unwrap_err().to_string());
        messages.push(api.delete_method("1", "GET").unwrap_err().to_string());
        insta::assert_snapshot!(messages.join("\n"), @r"
        ConflictException: Another resource with the same parent already has this name: posts
        BadRequestException: A sibling ({slug}) of this resource already has a variable path part -- only one is allowed
        BadRequestException: Cannot create a child of a resource with a greedy path variable: {rest+}
        BadRequestException: Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.
        NotFoundException: Invalid Resource identifier specified
        BadRequestException: The REST API doesn't contain any methods
        NotFoundException: Invalid Method identifier specified
        ");
    }
}
