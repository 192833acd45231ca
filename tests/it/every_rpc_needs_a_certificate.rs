//! Every RPC of the schema, called by a stranger.

use std::path::Path;

use parc_acceptance::story;
use parc_acceptance::wire::{self, Request};
use parc_acceptance::world::World;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// The one RPC of the schema that a machine without identity may call.
const OPEN: &str = "/parc.v1.Enrollment/Enroll";

/// `/package.Service/Method` of every RPC, read from the schema itself.
fn every_rpc() -> Vec<String> {
    let proto = Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto");
    let folder = std::fs::read_dir(proto.join("parc/v1")).expect("the schema's folder");
    let files =
        folder.flatten().map(|it| it.path()).filter(|it| it.extension().is_some_and(|it| it == "proto"));
    let descriptors = protox::compile(files, [proto]).expect("a schema that compiles");
    let mut paths = Vec::new();
    for file in descriptors.file {
        for service in &file.service {
            let name = |method: &prost_types::MethodDescriptorProto| {
                format!("/{}.{}/{}", file.package(), service.name(), method.name())
            };
            paths.extend(service.method.iter().map(name));
        }
    }
    assert!(paths.len() >= 5 && paths.iter().any(|it| it == OPEN), "the schema was not found: {paths:?}");
    paths
}

/// Calls a method with an empty message.
async fn call(channel: &Channel, path: &str) -> Status {
    let mut caller = tonic::client::Grpc::new(channel.clone());
    caller.ready().await.expect("an open connection");
    let path: PathAndQuery = path.parse().expect("a path");
    let answer =
        caller.unary(tonic::Request::new(()), path, tonic_prost::ProstCodec::<(), ()>::default()).await;
    answer.map_or_else(|status| status, |_| Status::ok("answered"))
}

story! {
    async fn a_stranger_may_call_nothing_but_enroll_and_health(world: World) {
        let channel = wire::connect(world.collector.agents_port(), None).await.expect("connect");
        for path in every_rpc() {
            let status = call(&channel, &path).await;
            if path == OPEN {
                assert_eq!(status.code(), Code::InvalidArgument, "its handler read the empty message: {status}");
            } else {
                assert_eq!(status.code(), Code::Unauthenticated, "{path}: {status}");
            }
        }
        let health = call(&channel, "/grpc.health.v1.Health/Check").await;
        assert_eq!(health.code(), Code::Ok, "{health}");
    }
}

story! {
    async fn what_does_not_exist_is_closed_to_strangers_too(world: World) {
        let channel = wire::connect(world.collector.agents_port(), None).await.expect("connect");
        for path in ["/parc.v1.Fleet/Nothing", "/parc.v1.Nothing/Contact", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] {
            let status = call(&channel, path).await;
            assert_eq!(status.code(), Code::Unauthenticated, "{path}: {status}");
        }
    }
}

story! {
    async fn a_certificate_of_another_authority_opens_nothing(world: World) {
        let own = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new(vec!["agent".into()]).expect("names").self_signed(&own);
        let certificate = certificate.expect("a certificate").der().to_vec();
        let stranger = Request::of_key(&own).certified("made-up", certificate);
        for path in every_rpc() {
            // TLS 1.3: the refusal reaches the caller with the connection or with the first call.
            if let Ok(channel) = wire::connect(world.collector.agents_port(), Some(&stranger)).await {
                let mut caller = tonic::client::Grpc::new(channel);
                if caller.ready().await.is_err() {
                    continue;
                }
                let codec = tonic_prost::ProstCodec::<(), ()>::default();
                let path: PathAndQuery = path.parse().expect("a path");
                let answer = caller.unary(tonic::Request::new(()), path.clone(), codec).await;
                assert!(answer.is_err(), "{path} answered a forged certificate");
            }
        }
    }
}
