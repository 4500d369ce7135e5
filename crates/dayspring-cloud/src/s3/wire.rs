//! S3's REST API: which operation a request is, and its answer.

use std::collections::BTreeMap;

use ::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED};
use ::http::{HeaderValue, Method, StatusCode};
use bytes::Bytes;

use super::chunked;
use super::store::{Object, Store};
use crate::error::AwsError;
use crate::http::{self, Answer, Call};
use crate::identity::Identity;
use crate::protocol::{rest_xml, time};

/// How many keys a page of a listing has at most, as S3 limits it.
const KEYS_MAX: usize = 1000;

pub(super) fn answer(store: &Store, identity: &Identity, call: &Call) -> Answer {
    let request = Request::of(call);
    let result = dispatch(store, identity, &request);
    let mut answer = result.unwrap_or_else(|error| {
        if call.parts.method == Method::HEAD {
            http::empty(error.status)
        } else {
            rest_xml::error(&error, call.parts.uri.path(), call.request_id())
        }
    });
    if let Ok(id) = HeaderValue::from_str(call.request_id()) {
        answer.headers_mut().insert("x-amz-request-id", id);
    }
    answer
}

struct Request<'a> {
    call: &'a Call,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
}

impl<'a> Request<'a> {
    fn of(call: &'a Call) -> Self {
        let (bucket, key) = bucket_and_key(http::host(&call.parts), call.parts.uri.path());
        let query = http::form_fields(call.parts.uri.query().unwrap_or_default());
        Self {
            call,
            bucket,
            key,
            query: query.into_iter().collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.query.contains_key(name)
    }

    fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// The body as it is to be stored.
    fn content(&self) -> Result<Bytes, AwsError> {
        let streaming = http::header(&self.call.parts, "x-amz-content-sha256")
            .is_some_and(|value| value.starts_with("STREAMING-"))
            || http::header(&self.call.parts, "content-encoding")
                .is_some_and(|value| value.contains("aws-chunked"));
        if streaming {
            chunked::decode(&self.call.body).map(Bytes::from)
        } else {
            Ok(self.call.body.clone())
        }
    }

    fn content_type(&self) -> &str {
        http::header(&self.call.parts, "content-type").unwrap_or("binary/octet-stream")
    }

    /// What is kept of the request's headers and given back with the object.
    fn kept_headers(&self) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        for (name, value) in &self.call.parts.headers {
            let name = name.as_str();
            let Ok(value) = value.to_str() else { continue };
            if name.starts_with("x-amz-meta-")
                || matches!(
                    name,
                    "cache-control" | "content-disposition" | "content-language"
                )
            {
                kept.insert(name.to_owned(), value.to_owned());
            } else if name == "content-encoding" {
                let codings: Vec<&str> = value
                    .split(',')
                    .map(str::trim)
                    .filter(|coding| *coding != "aws-chunked" && !coding.is_empty())
                    .collect();
                if !codings.is_empty() {
                    kept.insert(name.to_owned(), codings.join(","));
                }
            }
        }
        kept
    }
}

/// The bucket and the key of a request: `BUCKET.localhost`, `BUCKET.s3.REGION.amazonaws.com` and their like have the
/// bucket in front, every other host has it at the start of the path.
pub(super) fn bucket_and_key(host: &str, path: &str) -> (String, String) {
    let host = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) {
            name
        } else {
            host
        }
    });
    let in_front = [".s3.", ".s3-"]
        .iter()
        .find_map(|mark| host.split_once(mark).map(|(bucket, _)| bucket))
        .or_else(|| host.strip_suffix(".localhost"))
        .filter(|bucket| !bucket.is_empty() && *bucket != "s3");
    let path = path.strip_prefix('/').unwrap_or(path);
    if let Some(bucket) = in_front {
        return (bucket.to_owned(), http::decode_percent(path));
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    (http::decode_percent(bucket), http::decode_percent(key))
}

fn dispatch(store: &Store, identity: &Identity, request: &Request<'_>) -> Result<Answer, AwsError> {
    let method = &request.call.parts.method;
    let owner = http::header(&request.call.parts, "x-amz-expected-bucket-owner");
    if owner.is_some_and(|owner| owner != identity.account) {
        return Err(AwsError::new(
            StatusCode::FORBIDDEN,
            "AccessDenied",
            "Access Denied",
        ));
    }
    if request.bucket.is_empty() {
        return match *method {
            Method::GET => Ok(list_buckets(store, identity)),
            _ => Err(not_allowed()),
        };
    }
    if request.key.is_empty() {
        bucket_operation(store, identity, request)
    } else {
        object_operation(store, request)
    }
}

fn bucket_operation(
    store: &Store,
    identity: &Identity,
    request: &Request<'_>,
) -> Result<Answer, AwsError> {
    let bucket = request.bucket.as_str();
    match request.call.parts.method {
        Method::PUT
            if request
                .query
                .keys()
                .all(|name| name.starts_with("x-") || name.starts_with("X-")) =>
        {
            store.create_bucket(bucket)?;
            let mut answer = http::empty(StatusCode::OK);
            set(&mut answer, "location", &format!("/{bucket}"));
            Ok(answer)
        }
        // Versioning, encryption, policies, tags, ...: recorded nowhere and enforced nowhere, as IAM.
        Method::PUT => store.bucket(bucket).map(|_| http::empty(StatusCode::OK)),
        Method::HEAD => {
            store.bucket(bucket)?;
            let mut answer = http::empty(StatusCode::OK);
            set(&mut answer, "x-amz-bucket-region", &identity.region);
            Ok(answer)
        }
        Method::DELETE => store
            .delete_bucket(bucket)
            .map(|()| http::empty(StatusCode::NO_CONTENT)),
        Method::POST if request.has("delete") => delete_objects(store, request),
        Method::GET => {
            store.bucket(bucket)?;
            if request.has("location") {
                Ok(location(identity))
            } else if request.has("encryption") {
                Ok(encryption())
            } else if request.has("versioning") {
                Ok(rest_xml::answer("VersioningConfiguration", |_| {}))
            } else {
                list_objects(store, request)
            }
        }
        _ => Err(not_allowed()),
    }
}

fn object_operation(store: &Store, request: &Request<'_>) -> Result<Answer, AwsError> {
    let (bucket, key) = (request.bucket.as_str(), request.key.as_str());
    match request.call.parts.method {
        Method::PUT if request.has("uploadId") => {
            let number = request.query("partNumber").parse().map_err(|_| {
                AwsError::bad_request(
                    "InvalidArgument",
                    "Part number must be an integer between 1 and 10000, inclusive",
                )
            })?;
            let part = store.put_part(request.query("uploadId"), number, &request.content()?)?;
            let mut answer = http::empty(StatusCode::OK);
            set(&mut answer, ETAG.as_str(), &format!("\"{}\"", part.etag));
            Ok(answer)
        }
        Method::PUT => {
            let content = match http::header(&request.call.parts, "x-amz-copy-source") {
                Some(source) => {
                    let source = http::decode_percent(source.trim_start_matches('/'));
                    let (bucket, key) = source.split_once('/').unwrap_or((&source, ""));
                    store.content(&store.find(bucket, key)?)?
                }
                None => request.content()?,
            };
            let object = store.put(
                bucket,
                key,
                &content,
                request.content_type(),
                request.kept_headers(),
            )?;
            if request.call.parts.headers.contains_key("x-amz-copy-source") {
                return Ok(rest_xml::answer("CopyObjectResult", |xml| {
                    xml.text("LastModified", time::iso8601(object.modified));
                    xml.text("ETag", format!("\"{}\"", object.etag));
                }));
            }
            let mut answer = http::empty(StatusCode::OK);
            set(&mut answer, ETAG.as_str(), &format!("\"{}\"", object.etag));
            Ok(answer)
        }
        Method::POST if request.has("uploads") => {
            let id =
                store.begin_upload(bucket, key, request.content_type(), request.kept_headers())?;
            Ok(rest_xml::answer("InitiateMultipartUploadResult", |xml| {
                xml.text("Bucket", bucket);
                xml.text("Key", key);
                xml.text("UploadId", id);
            }))
        }
        Method::POST if request.has("uploadId") => {
            let object = store.complete_upload(request.query("uploadId"))?;
            Ok(rest_xml::answer("CompleteMultipartUploadResult", |xml| {
                xml.text("Bucket", bucket);
                xml.text("Key", key);
                xml.text("ETag", format!("\"{}\"", object.etag));
            }))
        }
        Method::DELETE if request.has("uploadId") => store
            .abort_upload(request.query("uploadId"))
            .map(|()| http::empty(StatusCode::NO_CONTENT)),
        Method::DELETE => store
            .delete(bucket, key)
            .map(|()| http::empty(StatusCode::NO_CONTENT)),
        Method::HEAD => {
            let object = store.find(bucket, key)?;
            let mut answer = http::empty(StatusCode::OK);
            describe(&mut answer, &object);
            set(
                &mut answer,
                CONTENT_LENGTH.as_str(),
                &object.size_bytes.to_string(),
            );
            Ok(answer)
        }
        Method::GET => get_object(store, &store.find(bucket, key)?, request),
        _ => Err(not_allowed()),
    }
}

fn get_object(store: &Store, object: &Object, request: &Request<'_>) -> Result<Answer, AwsError> {
    let content = store.content(object)?;
    let range = http::header(&request.call.parts, "range")
        .and_then(|range| parse_range(range, content.len()));
    let mut answer = match range {
        None => Answer::new(content.into()),
        Some((first, last)) => {
            let mut answer = Answer::new(content.slice(first..=last).into());
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(
                &mut answer,
                "content-range",
                &format!("bytes {first}-{last}/{}", object.size_bytes),
            );
            answer
        }
    };
    describe(&mut answer, object);
    Ok(answer)
}

/// `bytes=A-B`, `bytes=A-` and `bytes=-N`, first and last byte counted from 0. What cannot be served so is served
/// whole.
fn parse_range(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.checked_sub(1)?;
    let (first, last) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.min(end)),
        (Ok(first), Err(_)) => (first, end),
        (Err(_), Ok(length)) => (size.saturating_sub(length), end),
        (Err(_), Err(_)) => return None,
    };
    (first <= last).then_some((first, last))
}

fn describe(answer: &mut Answer, object: &Object) {
    set(answer, CONTENT_TYPE.as_str(), &object.content_type);
    set(answer, ETAG.as_str(), &format!("\"{}\"", object.etag));
    set(
        answer,
        LAST_MODIFIED.as_str(),
        &time::http_date(object.modified),
    );
    set(answer, "accept-ranges", "bytes");
    for (name, value) in &object.headers {
        set(answer, name, value);
    }
}

fn list_buckets(store: &Store, identity: &Identity) -> Answer {
    rest_xml::answer("ListAllMyBucketsResult", |xml| {
        xml.nest("Owner", |xml| xml.text("ID", &identity.account));
        xml.nest("Buckets", |xml| {
            for (name, created) in store.buckets() {
                xml.nest("Bucket", |xml| {
                    xml.text("Name", name);
                    xml.text("CreationDate", time::iso8601(created));
                });
            }
        });
    })
}

fn location(identity: &Identity) -> Answer {
    // us-east-1 is the empty location: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    rest_xml::answer("LocationConstraint", |xml| {
        if identity.region != "us-east-1" {
            xml.inline(&identity.region);
        }
    })
}

fn encryption() -> Answer {
    rest_xml::answer("ServerSideEncryptionConfiguration", |xml| {
        xml.nest("Rule", |xml| {
            xml.nest("ApplyServerSideEncryptionByDefault", |xml| {
                xml.text("SSEAlgorithm", "AES256");
            });
            xml.text("BucketKeyEnabled", "false");
        });
    })
}

fn list_objects(store: &Store, request: &Request<'_>) -> Result<Answer, AwsError> {
    let bucket = store.bucket(&request.bucket)?;
    let prefix = request.query("prefix");
    let delimiter = request.query("delimiter");
    // A continuation token is the last key that was given.
    let after = request
        .query
        .get("continuation-token")
        .or_else(|| request.query.get("start-after"))
        .or_else(|| request.query.get("marker"))
        .map_or("", String::as_str);
    let keys_max = request
        .query("max-keys")
        .parse()
        .unwrap_or(KEYS_MAX)
        .min(KEYS_MAX);
    let mut contents = Vec::new();
    let mut folders = std::collections::BTreeSet::new();
    let mut last = "";
    let mut truncated = false;
    for (key, object) in &bucket.objects {
        if !key.starts_with(prefix) || key.as_str() <= after {
            continue;
        }
        let folder = (!delimiter.is_empty())
            .then(|| key[prefix.len()..].find(delimiter))
            .flatten()
            .map(|at| &key[..prefix.len() + at + delimiter.len()]);
        if folder.is_some_and(|folder| folders.contains(folder)) {
            last = key;
            continue;
        }
        if contents.len() + folders.len() == keys_max {
            truncated = true;
            break;
        }
        last = key;
        match folder {
            Some(folder) => {
                folders.insert(folder);
            }
            None => contents.push((key, object)),
        }
    }
    Ok(rest_xml::answer("ListBucketResult", |xml| {
        xml.text("Name", &request.bucket);
        xml.text("Prefix", prefix);
        xml.text("MaxKeys", keys_max.to_string());
        xml.text("KeyCount", (contents.len() + folders.len()).to_string());
        xml.text("IsTruncated", truncated.to_string());
        if truncated {
            xml.text("NextContinuationToken", last);
        }
        for (key, object) in &contents {
            xml.nest("Contents", |xml| {
                xml.text("Key", key);
                xml.text("LastModified", time::iso8601(object.modified));
                xml.text("ETag", format!("\"{}\"", object.etag));
                xml.text("Size", object.size_bytes.to_string());
                xml.text("StorageClass", "STANDARD");
            });
        }
        for folder in &folders {
            xml.nest("CommonPrefixes", |xml| xml.text("Prefix", folder));
        }
    }))
}

/// `<Delete><Object><Key>...`: the keys of a batch.
fn delete_objects(store: &Store, request: &Request<'_>) -> Result<Answer, AwsError> {
    use quick_xml::events::Event;
    let malformed =
        || AwsError::bad_request("MalformedXML", "The XML you provided was not well-formed");
    let content = request.content()?;
    let text = std::str::from_utf8(&content).map_err(|_| malformed())?;
    let mut reader = quick_xml::Reader::from_str(text);
    let mut keys: Vec<String> = Vec::new();
    let mut within_key = false;
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(tag) => {
                within_key = tag.local_name().as_ref() == "Key";
                if within_key {
                    keys.push(String::new());
                }
            }
            Event::End(_) => within_key = false,
            Event::Text(part) if within_key => {
                keys.last_mut().expect("a key was begun").push_str(&part);
            }
            Event::GeneralRef(name) if within_key => {
                let character = match name.resolve_char_ref().map_err(|_| malformed())? {
                    Some(character) => character.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&name)
                        .ok_or_else(malformed)?
                        .to_owned(),
                };
                keys.last_mut()
                    .expect("a key was begun")
                    .push_str(&character);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    for key in &keys {
        store.delete(&request.bucket, key)?;
    }
    Ok(rest_xml::answer("DeleteResult", |xml| {
        for key in &keys {
            xml.nest("Deleted", |xml| xml.text("Key", key));
        }
    }))
}

fn set(answer: &mut Answer, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (name.parse::<::http::HeaderName>(), value.parse()) {
        answer.headers_mut().insert(name, value);
    }
}

fn not_allowed() -> AwsError {
    AwsError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_is_in_the_path_or_in_front_of_the_host() {
        let check = |host, path, bucket: &str, key: &str| {
            assert_eq!(
                bucket_and_key(host, path),
                (bucket.to_owned(), key.to_owned()),
                "{host} {path}"
            );
        };
        check(
            "127.0.0.1:4566",
            "/assets/blog/a%20b.zip",
            "assets",
            "blog/a b.zip",
        );
        check("localhost:4566", "/assets", "assets", "");
        check("localhost", "/", "", "");
        check("assets.localhost:4566", "/blog/x", "assets", "blog/x");
        check("s3.localhost:4566", "/assets/x", "assets", "x");
        check("assets.s3.localhost:4566", "/x", "assets", "x");
        check("a.b.s3.eu-west-1.amazonaws.com", "/x", "a.b", "x");
        check("s3.eu-west-1.amazonaws.com", "/a.b/x", "a.b", "x");
    }

    #[test]
    fn ranges_are_read_in_their_three_forms() {
        assert_eq!(parse_range("bytes=0-3", 10), Some((0, 3)));
        assert_eq!(parse_range("bytes=8-99", 10), Some((8, 9)));
        assert_eq!(parse_range("bytes=4-", 10), Some((4, 9)));
        assert_eq!(parse_range("bytes=-4", 10), Some((6, 9)));
        assert_eq!(parse_range("bytes=10-", 10), None);
        assert_eq!(parse_range("bytes=0-0", 0), None);
    }
}
