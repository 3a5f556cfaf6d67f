//! A node tells its gateways that it is there.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use edge::token::{Secrets, Verifier};
use media_node::config::RegistrationConfig;
use serde_json::{Value, json};
use signalling::token::{Audience, Claims, Role};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::harness::{SECRET, TestNode};

/// What gateways are told: the token and the body.
type Told = (String, Value);

/// A gateway that answers registrations with this status.
async fn gateway(status: StatusCode) -> (String, mpsc::UnboundedReceiver<Told>) {
    let (sender, told) = mpsc::unbounded_channel();
    let hear = move |State(sender): State<Arc<mpsc::UnboundedSender<Told>>>,
                     headers: HeaderMap,
                     Json(body): Json<Value>| async move {
        let token = headers["authorization"].to_str().expect("text").to_owned();
        // The test may be over.
        drop(sender.send((token, body)));
        (status, Json(json!({"success": true})))
    };
    let router = Router::new()
        .route("/api/nodes/register", post(hear))
        .with_state(Arc::new(sender));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, told)
}

#[tokio::test]
async fn every_gateway_is_told_where_the_node_is_and_how_much_it_takes() {
    let (first, mut told_first) = gateway(StatusCode::OK).await;
    let (refusing, mut told_refusing) = gateway(StatusCode::UNAUTHORIZED).await;
    // A gateway that does not answer delays none of the others.
    let silent = "http://127.0.0.1:1".to_owned();
    let node = TestNode::with(|config, _| {
        "eu-west-1".clone_into(&mut config.region);
        config.capacity.rooms = 7;
        config.registration = Some(RegistrationConfig {
            gateways: vec![silent, first, refusing],
            url: "http://media-1:3001".to_owned(),
        });
    })
    .await;
    node.room("call-1").await;
    node.node.register();
    node.node.register();
    let secrets = Secrets {
        current: SECRET.to_owned(),
        previous: None,
    };
    let verifier = Verifier::new(&secrets, Audience::Gateway, &["sub"]);
    for told in [&mut told_first, &mut told_refusing] {
        let heard = tokio::time::timeout(Duration::from_secs(10), told.recv()).await;
        let (token, body) = heard.expect("in time").expect("the node speaks");
        let claims: Claims = verifier
            .verify(token.trim_start_matches("Bearer "))
            .expect("it is for the gateway");
        assert_eq!((claims.role, claims.call_id), (Role::Service, None));
        let expected = [
            ("url", json!("http://media-1:3001")),
            ("region", json!("eu-west-1")),
            ("maxRooms", json!(7)),
            ("rooms", json!(1)),
            ("draining", json!(false)),
        ];
        for (member, value) in expected {
            assert_eq!(body[member], value, "{member} in {body}");
        }
        let stats = node.get(&crate::harness::service(), "/api/stats").await;
        assert_eq!(body["instance"], stats.data()["instance"], "the same process");
        assert_eq!(body["instance"].as_str().map(str::len), Some(32));
        assert!(told.try_recv().is_err(), "told once, however often it is begun");
    }
}

#[tokio::test]
async fn a_node_without_gateways_tells_nobody() {
    let node = TestNode::start().await;
    node.node.register();
    assert_eq!(
        node.get(&crate::harness::service(), "/ready")
            .await
            .status
            .as_u16(),
        200
    );
}
