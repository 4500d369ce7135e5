//! The APIs that there are, and the table that requests look at.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use ::http::StatusCode;

use super::api::{Api, Apis, not_found};
use super::refusal::GatewayResponse;
use super::stage::{self, Table};
use super::{GatewayConfig, GatewayResponseSpec, MethodSpec, RestApiSpec, StageSpec};
use crate::error::AwsError;
use crate::lambda::Lambda;
use crate::lambda::date::unix_millis_now;
use crate::logs::Logs;
use crate::state::{StateError, StateFile};

/// See the module.
#[derive(Debug)]
pub(super) struct Service {
    config: GatewayConfig,
    pub(super) lambda: Lambda,
    pub(super) logs: Logs,
    state: StateFile,
    /// Held while the state file is written, which orders the writers; never across an await.
    apis: Mutex<Apis>,
    /// Replaced as a whole. Locked only to take or to put the pointer.
    table: RwLock<Arc<Table>>,
}

impl Service {
    pub(super) fn open(
        config: GatewayConfig,
        lambda: Lambda,
        logs: Logs,
    ) -> Result<Self, StateError> {
        let state = StateFile::new(config.folder.join("apigateway.json"));
        let apis: Apis = state.load()?;
        // Everything in it was checked when it was put there.
        let table = Table::new(&apis, &config.identity).unwrap_or_default();
        Ok(Self {
            config,
            lambda,
            logs,
            state,
            apis: Mutex::new(apis),
            table: RwLock::new(Arc::new(table)),
        })
    }

    /// The table of this moment.
    pub(super) fn table(&self) -> Arc<Table> {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the APIs: on disk, in memory and for requests, or not at all.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Apis) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        let mut apis = self.apis.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = apis.clone();
        let value = change(&mut changed)?;
        let table = Table::new(&changed, &self.config.identity)?;
        self.state.save(&changed).map_err(|error| {
            AwsError::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "ServiceUnavailableException",
                error.to_string(),
            )
        })?;
        *apis = changed;
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(value)
    }

    pub(super) fn region(&self) -> &str {
        &self.config.identity.region
    }

    /// Looks at the APIs as they are.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Apis) -> T) -> T {
        look(&self.apis.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at one API.
    pub(super) fn read_api<T>(
        &self,
        id: &str,
        look: impl FnOnce(&Api) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        self.read(|apis| match apis.apis.get(id) {
            Some(api) => look(api),
            None => Err(self.no_api(id)),
        })
    }

    /// Changes one API.
    pub(super) fn change_api<T>(
        &self,
        id: &str,
        change: impl FnOnce(&mut Api) -> Result<T, AwsError>,
    ) -> Result<T, AwsError> {
        self.change(|apis| match apis.apis.get_mut(id) {
            Some(api) => change(api),
            None => Err(self.no_api(id)),
        })
    }

    fn no_api(&self, id: &str) -> AwsError {
        let account = &self.config.identity.account;
        not_found(format!("Invalid API identifier specified {account}:{id}"))
    }

    pub(super) fn create_rest_api(&self, spec: RestApiSpec) -> Result<(String, String), AwsError> {
        self.change(|apis| {
            let id = new_id(10, |id| apis.apis.contains_key(id));
            let root = new_id(10, |_| false);
            apis.create(id.clone(), root.clone(), spec, unix_millis_now());
            Ok((id, root))
        })
    }

    pub(super) fn update_rest_api(&self, api: &str, spec: RestApiSpec) -> Result<(), AwsError> {
        self.change(|apis| {
            apis.api(api)?.spec = spec;
            Ok(())
        })
    }

    pub(super) fn delete_rest_api(&self, api: &str) -> Result<(), AwsError> {
        self.change(|apis| apis.delete(api))
    }

    pub(super) fn create_resource(
        &self,
        api: &str,
        parent: &str,
        path_part: &str,
    ) -> Result<String, AwsError> {
        self.change(|apis| {
            let api = apis.api(api)?;
            let id = new_id(6, |id| api.resources.contains_key(id));
            api.create_resource(id.clone(), parent, path_part)?;
            Ok(id)
        })
    }

    pub(super) fn delete_resource(&self, api: &str, resource: &str) -> Result<(), AwsError> {
        self.change(|apis| apis.api(api)?.delete_resource(resource))
    }

    pub(super) fn put_method(
        &self,
        api: &str,
        resource: &str,
        spec: MethodSpec,
    ) -> Result<(), AwsError> {
        stage::method(resource, "/", &spec)?;
        self.change(|apis| apis.api(api)?.put_method(resource, spec))
    }

    pub(super) fn delete_method(
        &self,
        api: &str,
        resource: &str,
        http_method: &str,
    ) -> Result<(), AwsError> {
        self.change(|apis| apis.api(api)?.delete_method(resource, http_method))
    }

    pub(super) fn put_gateway_response(
        &self,
        api: &str,
        spec: GatewayResponseSpec,
    ) -> Result<(), AwsError> {
        GatewayResponse::parse(&spec)?;
        self.change(|apis| {
            apis.api(api)?
                .gateway_responses
                .insert(spec.response_type.clone(), spec);
            Ok(())
        })
    }

    pub(super) fn delete_gateway_response(
        &self,
        api: &str,
        response_type: &str,
    ) -> Result<(), AwsError> {
        self.change(|apis| {
            apis.api(api)?.gateway_responses.remove(response_type);
            Ok(())
        })
    }

    pub(super) fn create_deployment(
        &self,
        api: &str,
        description: &str,
    ) -> Result<String, AwsError> {
        self.change(|apis| {
            let api = apis.api(api)?;
            let id = new_id(6, |id| api.deployments.contains_key(id));
            api.deploy(id.clone(), description, unix_millis_now())?;
            Ok(id)
        })
    }

    pub(super) fn delete_deployment(&self, api: &str, deployment: &str) -> Result<(), AwsError> {
        self.change(|apis| apis.api(api)?.delete_deployment(deployment))
    }

    pub(super) fn delete_stages_of(&self, api: &str, deployment: &str) -> Result<(), AwsError> {
        self.change(|apis| {
            let stages = &mut apis.api(api)?.stages;
            stages.retain(|_, stage| stage.deployment_id != deployment);
            Ok(())
        })
    }

    pub(super) fn put_stage(&self, api: &str, spec: StageSpec) -> Result<(), AwsError> {
        self.change(|apis| apis.api(api)?.put_stage(spec, unix_millis_now()))
    }

    pub(super) fn delete_stage(&self, api: &str, stage: &str) -> Result<(), AwsError> {
        self.change(|apis| apis.api(api)?.delete_stage(stage))
    }
}

/// Small letters and digits, as AWS's ids are, and not one that there is.
fn new_id(length: usize, is_taken: impl Fn(&str) -> bool) -> String {
    loop {
        let id: String = (0..length)
            .map(|_| fastrand::alphanumeric().to_ascii_lowercase())
            .collect();
        if !is_taken(&id) {
            return id;
        }
    }
}
