//! The listeners, and which service a request is for.

mod connection;
mod connections;
mod head;
mod page;
mod render;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::http::request::Parts;
use ::http::{HeaderValue, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::Identity;
use crate::cloudformation::{CloudFormation, Responses, Sources, Types};
use crate::error::AwsError;
use crate::gateway::{BODY_BYTES_MAX as STAGE_BODY_BYTES_MAX, Gateway, GatewayConfig};
use crate::http::{self, Answer, Call, RequestId};
use crate::lambda::{
    FunctionLine, IDLE_MAX_DEFAULT, Interpreters, Lambda, LambdaConfig, random_uuid,
};
use crate::logs::Logs;
use crate::parity::Notices;
use crate::protocol::{json, rest_json, rest_xml, signature};
use crate::rds::{AutoPause, DatabaseUrl, Rds, RdsConfig};
use crate::routing::{self, Service, Target};
use crate::s3::S3;
use crate::secrets::Secrets;
use crate::ssm::Ssm;
use crate::sts;
use crate::world::World;

use connection::{Beyond, BodyLimit, Handler, Patience};
use connections::Connections;

/// How many connections a port serves at once, where the process may have as many files open; the next one waits.
const CONNECTIONS_MAX: usize = 65_536;

/// What is left to everything but connections: processes' pipes and listeners, state, databases.
const FILES_BESIDE: u64 = 512;

/// What is read of a body that nobody looks at.
const UNKNOWN_BODY_BYTES_MAX: usize = 64 * 1024;

/// How long requests that are being answered may go on once the cloud is to end.
const DRAIN: Duration = Duration::from_secs(2);

/// How the cloud runs.
#[derive(Debug, Clone)]
pub struct CloudConfig {
    pub identity: Identity,
    /// Everything that outlives a run.
    pub state: PathBuf,
    /// What several clouds of this user may share (bootstrapped data folders).
    pub cache: PathBuf,
    /// Answer requests that carry no signature.
    pub allow_unsigned: bool,
    /// The secret key that requests have to be signed with. `None`: signatures are looked at and not checked.
    pub signing_secret: Option<String>,
    /// When clusters pause whose lowest capacity is 0 ACU, and how long they take to come back. `None`: never.
    pub pause: Option<AutoPause>,
    /// A MySQL or MariaDB server for all clusters, in the place of a private one for each.
    pub database_url: Option<DatabaseUrl>,
    /// Gets every line of every function's log as it comes; what it does not take in time is dropped for it.
    pub function_lines: Option<mpsc::Sender<FunctionLine>>,
    /// Gets every request to a deployed stage once it is answered; what it does not take in time is dropped for it.
    pub requests: Option<mpsc::Sender<StageRequest>>,
}

/// A request to a deployed stage, answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageRequest {
    pub method: String,
    /// As it was asked for, with the query.
    pub path: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// From the last byte of the request to the whole answer.
    pub duration: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the state folder {path}")]
    State {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("cannot read a listener's address")]
    Listener(#[source] std::io::Error),
}

/// A running local cloud.
#[derive(Debug)]
pub struct Cloud {
    services: Arc<Services>,
    aws_address: SocketAddr,
    api_address: SocketAddr,
    /// Turned to `true` once, when the cloud is to end.
    ending: watch::Sender<bool>,
    /// The two ports.
    ports: JoinSet<()>,
    warnings: Option<mpsc::Receiver<String>>,
}

impl Cloud {
    /// Serves AWS's APIs on the first listener and deployed stages on the second until [`Cloud::shut_down`].
    pub async fn start(
        config: CloudConfig,
        aws: TcpListener,
        api: TcpListener,
    ) -> Result<Self, StartError> {
        let aws_address = aws.local_addr().map_err(StartError::Listener)?;
        let api_address = api.local_addr().map_err(StartError::Listener)?;
        let state = config.state.clone();
        let (notices, warnings) = Notices::new();
        let services =
            Services::open(config, aws_address, api_address, notices).map_err(|source| {
                StartError::State {
                    path: state,
                    source,
                }
            })?;
        let services = Arc::new(services);
        services.logs.write_behind();
        let (ending, end) = watch::channel(false);
        let mut ports = JoinSet::new();
        ports.spawn(serve(aws, Port::Aws, Arc::clone(&services), end.clone()));
        ports.spawn(serve(api, Port::Api, Arc::clone(&services), end));
        Ok(Self {
            services,
            aws_address,
            api_address,
            ending,
            ports,
            warnings: Some(warnings),
        })
    }

    /// Where AWS's APIs answer.
    pub fn aws_address(&self) -> SocketAddr {
        self.aws_address
    }

    /// Where deployed stages answer.
    pub fn api_address(&self) -> SocketAddr {
        self.api_address
    }

    /// Where warnings arrive of what AWS would do otherwise (`docs/parity.md`), each once. `None` at the second call.
    pub fn take_warnings(&mut self) -> Option<mpsc::Receiver<String>> {
        self.warnings.take()
    }

    /// Stops serving, ends every child process and writes what has to be kept.
    pub async fn shut_down(mut self) {
        self.ending.send_replace(true);
        self.services.cloudformation.shut_down().await;
        while self.ports.join_next().await.is_some() {}
        // Functions first: they may be using the databases.
        self.services.lambda.shut_down().await;
        self.services.rds.shut_down().await;
        self.services.logs.write_all();
    }
}

#[derive(Debug)]
struct Services {
    identity: Identity,
    world: World,
    allow_unsigned: bool,
    signing_secret: Option<String>,
    cloudformation: CloudFormation,
    responses: Responses,
    s3: S3,
    secrets: Secrets,
    ssm: Ssm,
    logs: Logs,
    lambda: Lambda,
    gateway: Gateway,
    rds: Rds,
    requests: Option<mpsc::Sender<StageRequest>>,
}

type OpenError = Box<dyn std::error::Error + Send + Sync>;

impl Services {
    fn open(
        config: CloudConfig,
        aws: SocketAddr,
        api: SocketAddr,
        notices: Notices,
    ) -> Result<Self, OpenError> {
        let CloudConfig {
            identity,
            state,
            cache,
            allow_unsigned,
            signing_secret,
            pause,
            database_url,
            function_lines,
            requests,
        } = config;
        let world = World::real();
        // Child processes run in folders of their own: a path that they are given must not depend on the folder.
        let (state, cache) = (std::path::absolute(state)?, std::path::absolute(cache)?);
        std::fs::create_dir_all(&state)?;
        let endpoint_url = format!("http://{}", reachable(aws));
        let logs = Logs::open(state.join("logs"), identity.clone(), world)?;
        let s3 = S3::open(state.join("s3"), identity.clone(), world)?;
        let secrets = Secrets::open(&state, identity.clone(), world)?;
        let ssm = Ssm::open(&state, identity.clone(), world)?;
        let lambda = Lambda::open(
            LambdaConfig {
                identity: identity.clone(),
                folder: state.join("lambda"),
                endpoint_url: endpoint_url.clone(),
                idle_max: IDLE_MAX_DEFAULT,
                lines: function_lines,
                notices: notices.clone(),
                objects: Some(s3.clone()),
                interpreters: Interpreters::from_environment(state.join("lambda/clients")),
            },
            logs.clone(),
        )?;
        let gateway = Gateway::open(
            GatewayConfig {
                identity: identity.clone(),
                folder: state.join("gateway"),
            },
            lambda.clone(),
            logs.clone(),
        )?;
        let rds = Rds::open(
            RdsConfig {
                identity: identity.clone(),
                folder: state.join("rds"),
                cache,
                pause,
                database_url,
                notices: notices.clone(),
            },
            secrets.clone(),
        )?;
        let responses = Responses::default();
        let types = Types {
            identity: identity.clone(),
            world,
            endpoint_url,
            lambda: lambda.clone(),
            gateway: gateway.clone(),
            rds: rds.clone(),
            logs: logs.clone(),
            s3: s3.clone(),
            ssm: ssm.clone(),
            secrets: secrets.clone(),
            responses: responses.clone(),
            notices,
        };
        let sources = Sources {
            ssm: ssm.clone(),
            secrets: secrets.clone(),
            s3: s3.clone(),
            // So that `https://ID.execute-api.REGION.${AWS::URLSuffix}/STAGE` names the port that answers it.
            url_suffix: format!("localhost:{}", api.port()),
        };
        let cloudformation = CloudFormation::open(&state, types, sources)?;
        Ok(Self {
            identity,
            world,
            allow_unsigned,
            signing_secret,
            cloudformation,
            responses,
            s3,
            secrets,
            ssm,
            logs,
            lambda,
            gateway,
            rds,
            requests,
        })
    }

    /// Answers a request on the port of the AWS APIs.
    async fn answer_aws(&self, mut call: Call) -> Answer {
        let id = random_uuid();
        call.parts.extensions.insert(RequestId(id.clone()));
        let mut answer = self.answer_service(call).await;
        if let Ok(id) = HeaderValue::from_str(&id) {
            answer.headers_mut().entry("x-amzn-requestid").or_insert(id);
        }
        answer
    }

    async fn answer_service(&self, call: Call) -> Answer {
        let route = routing::route(&call.parts);
        let service = match route.target {
            Target::Health => {
                return http::answer(StatusCode::OK, "application/json", r#"{"status":"ok"}"#);
            }
            Target::CustomResourceResponse => return self.take_response(call),
            Target::Stage => return Box::pin(self.answer_stage(call)).await,
            Target::Unknown(name) => return refuse_unknown(&name, &call),
            Target::Service(service) => service,
        };
        // The two query services look the same until the body is read.
        let service = if service == Service::CloudFormation
            && !route.signed
            && String::from_utf8_lossy(&call.body).contains("Version=2011-06-15")
        {
            Service::Sts
        } else {
            service
        };
        if page::is_of_a_strangers_page(&call.parts) {
            return refuse(service, &strangers_page(), &call.parts);
        }
        if !route.signed && !self.allow_unsigned {
            return refuse(service, &unsigned(service), &call.parts);
        }
        if let Some(secret) = &self.signing_secret
            && route.signed
            && let Err(error) = signature::check(service, &call, secret, self.world.now_millis())
        {
            return refuse(service, &error, &call.parts);
        }
        match service {
            Service::CloudFormation => self.cloudformation.answer(&call),
            Service::S3 => self.s3.answer(&call),
            Service::Sts => sts::answer(&self.identity, self.world, &call),
            Service::Ssm => self.ssm.answer(&call),
            Service::Secrets => self.secrets.answer(&call),
            Service::Logs => self.logs.answer(&call),
            // Each on its own heap, or every request would have to have room for the largest.
            Service::Lambda => Box::pin(self.lambda.answer(call)).await,
            Service::RdsData => self.rds.data_api(call).await,
            Service::ApiGateway => self.gateway.control(&call),
        }
    }

    /// Answers a request to a deployed stage.
    async fn answer_stage(&self, call: Call) -> Answer {
        let Some(requests) = &self.requests else {
            return self.gateway.answer(call).await;
        };
        let method = call.parts.method.to_string();
        let path = call.parts.uri.to_string();
        let begun = Instant::now();
        let answer = self.gateway.answer(call).await;
        // Full or closed: who listens has less to show, and the answer does not wait for that.
        drop(requests.try_send(StageRequest {
            method,
            path,
            status: answer.status().as_u16(),
            duration: begun.elapsed(),
        }));
        answer
    }

    fn take_response(&self, call: Call) -> Answer {
        if call.parts.method != Method::PUT {
            return http::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let query = call.parts.uri.query().unwrap_or_default();
        if self.responses.arrived(query, call.body) {
            http::empty(StatusCode::OK)
        } else {
            let error = AwsError::new(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
            rest_xml::error(&error, call.parts.uri.path(), "")
        }
    }
}

/// One of the two ports of a cloud.
#[derive(Debug)]
struct At<'a> {
    port: Port,
    services: &'a Services,
}

impl At<'_> {
    fn target(&self, parts: &Parts) -> Target {
        match self.port {
            Port::Aws => routing::route(parts).target,
            Port::Api => Target::Stage,
        }
    }
}

impl Handler for At<'_> {
    fn limit(&self, parts: &Parts) -> BodyLimit {
        let refuse = |bytes_max| BodyLimit {
            bytes_max,
            beyond: Beyond::Refuse,
        };
        match self.target(parts) {
            Target::Stage => refuse(STAGE_BODY_BYTES_MAX),
            Target::Service(service) => refuse(service.body_bytes_max()),
            // More than CloudFormation takes is read up to a byte more, and refused by it as too long.
            Target::CustomResourceResponse => BodyLimit {
                bytes_max: crate::cloudformation::RESPONSE_BYTES_MAX + 1,
                beyond: Beyond::Cut,
            },
            Target::Health | Target::Unknown(_) => BodyLimit {
                bytes_max: UNKNOWN_BODY_BYTES_MAX,
                beyond: Beyond::Cut,
            },
        }
    }

    fn too_long(&self, parts: Parts) -> Answer {
        match self.target(&parts) {
            Target::Service(service) => {
                let error = AwsError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLargeException",
                    format!(
                        "Request body is longer than {} bytes",
                        service.body_bytes_max()
                    ),
                );
                refuse(service, &error, &parts)
            }
            _ => self.services.gateway.body_too_long(),
        }
    }

    async fn answer(&self, call: Call) -> Answer {
        match self.port {
            Port::Aws => Box::pin(self.services.answer_aws(call)).await,
            Port::Api => self.services.answer_stage(call).await,
        }
    }
}

/// A listener that is open to every address is reached by this machine on the loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// What AWS says of a request without a signature, which differs by the service's protocol.
fn unsigned(service: Service) -> AwsError {
    let (status, kind, message) = match service {
        Service::CloudFormation | Service::Sts => (
            StatusCode::FORBIDDEN,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        Service::Ssm | Service::Secrets | Service::Logs => (
            StatusCode::BAD_REQUEST,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Service::Lambda | Service::RdsData | Service::ApiGateway => (
            StatusCode::FORBIDDEN,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        Service::S3 => (StatusCode::FORBIDDEN, "AccessDenied", "Access Denied"),
    };
    AwsError::new(status, kind, message)
}

fn strangers_page() -> AwsError {
    AwsError::new(
        StatusCode::FORBIDDEN,
        "AccessDenied",
        "This cloud answers no web page but those of this machine",
    )
}

/// An error in the form of the service's protocol.
fn refuse(service: Service, error: &AwsError, parts: &Parts) -> Answer {
    let request_id = parts
        .extensions
        .get::<RequestId>()
        .map_or("", |id| id.0.as_str());
    match service {
        Service::CloudFormation => crate::cloudformation::QUERY.error(error, request_id),
        Service::Sts => sts::SERVICE.error(error, request_id),
        Service::Ssm | Service::Secrets | Service::Logs => json::error(error),
        Service::Lambda | Service::RdsData | Service::ApiGateway => rest_json::error(error),
        Service::S3 => rest_xml::error(error, parts.uri.path(), request_id),
    }
}

fn refuse_unknown(name: &str, call: &Call) -> Answer {
    let error = AwsError::bad_request(
        "UnknownService",
        format!("this cloud does not have the service `{name}`"),
    );
    if call.parts.headers.contains_key("x-amz-target") {
        json::error(&error)
    } else {
        sts::SERVICE.error(&error, call.request_id())
    }
}

#[derive(Debug, Clone, Copy)]
enum Port {
    Aws,
    Api,
}

/// Takes all the files that the process may have, and keeps some for others.
fn connections_max() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let allowed = match setrlimit(Resource::Nofile, all) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // No limit at all is no number; and both ports seldom have many.
    allowed.map_or(CONNECTIONS_MAX, |files| {
        let room = files.saturating_sub(FILES_BESIDE).max(files / 2);
        usize::try_from(room).map_or(CONNECTIONS_MAX, |room| room.min(CONNECTIONS_MAX))
    })
}

/// Accepts connections until the end, then lets those that are open finish what they are at.
async fn serve(
    listener: TcpListener,
    port: Port,
    services: Arc<Services>,
    mut end: watch::Receiver<bool>,
) {
    let free = Arc::new(Semaphore::new(connections_max()));
    let mut connections = Connections::new(Patience::USUAL);
    loop {
        let accepted = tokio::select! {
            () = ended(&mut end) => break,
            () = connections.tend() => continue,
            accepted = async {
                let permit = Arc::clone(&free).acquire_owned().await;
                (permit, listener.accept().await)
            } => accepted,
        };
        match accepted {
            (Ok(permit), Ok((stream, peer))) => {
                let services = Arc::clone(&services);
                connections.add(|life| async move {
                    let handler = At {
                        port,
                        services: &services,
                    };
                    connection::converse(stream, peer, &handler, life).await;
                    drop(permit);
                });
            }
            // Out of file descriptors, most likely: those that end give some back.
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    connections.end();
    let drained = async {
        while !connections.is_empty() {
            connections.tend().await;
        }
    };
    tokio::time::timeout(DRAIN, drained)
        .await
        .unwrap_or_default();
    connections.shutdown().await;
}

/// Returns when the cloud is to end, or is gone.
async fn ended(end: &mut watch::Receiver<bool>) {
    // The guard that it gives is not for keeping across an await.
    end.wait_for(|ending| *ending).await.map(|_| ()).ok();
}
