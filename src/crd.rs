//! The custom resource definition of `ConnectBuild`, made from the Rust types of both its ends: [`spec::connect_build`] and
//! [`report::Status`].
//!
//! What schemars writes becomes a structural schema, as the API server wants it (Kubernetes, "Specifying a structural
//! schema"): no `$schema`, no `title`, no `additionalProperties: false` (unknown fields are pruned, and refused by a strict
//! client), `null` left out of types, and formats that OpenAPI does not know removed.
//!
//! [`spec::connect_build`]: crate::spec::connect_build
//! [`report::Status`]: crate::report::Status

use serde_json::{Map, Value, json};

use crate::report::Status;
use crate::spec::connect_build;
use crate::spec::kafka_connect::inlined;

/// How a URL of an artifact looks to the API server: as in Strimzi's definition, without the files that only a resource on
/// disk can name.
const ARTIFACT_URL: &str = "^(https?|ftp)://[-a-zA-Z0-9+&@#/%?=~_|!:,.;]*[-a-zA-Z0-9+&@#/%=~_|]$";

/// Most plugins: an image has room for 127 layers, and the base has some.
const MAX_PLUGINS: u64 = 120;

/// Most artifacts of a plugin, which bounds what the rules below cost the API server.
const MAX_ARTIFACTS: u64 = 500;

/// The definition.
#[must_use]
pub fn definition() -> Value {
    let mut spec = connect_build::schema().to_value();
    structural(&mut spec);
    refine(&mut spec);
    let mut status = inlined::<Status>().to_value();
    structural(&mut status);
    let (group, version) = connect_build::API_VERSION.split_once('/').unwrap_or_default();
    let column = |name: &str, kind: &str, path: &str, description: &str| json!({ "name": name, "type": kind, "jsonPath": path, "description": description });
    let ready = ".status.conditions[?(@.type==\"Ready\")].status";
    let reason = ".status.conditions[?(@.type==\"Ready\")].reason";
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("connectbuilds.{group}") },
        "spec": {
            "group": group,
            "names": {
                "kind": "ConnectBuild",
                "listKind": "ConnectBuildList",
                "plural": "connectbuilds",
                "singular": "connectbuild",
                "shortNames": ["cb"],
                "categories": ["strimzi"],
            },
            "scope": "Namespaced",
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "subresources": { "status": {} },
                "additionalPrinterColumns": [
                    column("Image", "string", ".spec.build.output.image", "Where the image goes"),
                    column("Digest", "string", ".status.digest", "The newest image"),
                    column("Ready", "string", ready, "Whether the image of this generation is there"),
                    column("Reason", "string", reason, "Why, or why not"),
                    column("Age", "date", ".metadata.creationTimestamp", "Since when there is the resource"),
                ],
                "schema": { "openAPIV3Schema": {
                    "type": "object",
                    "description": "A container image of Kafka Connect with plugins, built and pushed by connect-build.",
                    "required": ["spec"],
                    "properties": {
                        "apiVersion": { "type": "string", "description": "The version of the API that this resource is written for." },
                        "kind": { "type": "string", "description": "ConnectBuild." },
                        "metadata": { "type": "object" },
                        "spec": spec,
                        "status": status,
                    },
                } },
            }],
        },
    })
}

/// Turns a schema of schemars into a structural one.
fn structural(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for unknown in ["$schema", "title", "default"] {
                // `title` may also be the name of a property, whose value is a schema.
                if object.get(unknown).is_some_and(|value| !value.is_object()) {
                    object.remove(unknown);
                }
            }
            if object.get("additionalProperties").is_some_and(Value::is_boolean) {
                let open = object.remove("additionalProperties") == Some(Value::Bool(true));
                if open {
                    object.insert("x-kubernetes-preserve-unknown-fields".into(), true.into());
                }
            }
            if let Some(Value::Array(types)) = object.get("type") {
                let one = types.iter().find(|name| *name != "null").cloned();
                object.insert("type".into(), one.unwrap_or_default());
            }
            if let Some(Value::Array(values)) = object.get_mut("enum") {
                values.retain(|value| !value.is_null());
            }
            unwrap_optional(object);
            // Signed and wide enough is all that the API server tells apart.
            if object.get("type").is_some_and(|kind| kind == "integer") {
                object.insert("format".into(), "int64".into());
            }
            object.values_mut().for_each(structural);
        }
        Value::Array(items) => items.iter_mut().for_each(structural),
        _ => {}
    }
}

/// `anyOf: [X, null]` is X.
fn unwrap_optional(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.remove("anyOf") else { return };
    for choice in choices {
        if let Value::Object(choice) = choice
            && choice.get("type").is_none_or(|kind| kind != "null")
        {
            for (key, value) in choice {
                // The field's own words come before those of its type.
                object.entry(key).or_insert(value);
            }
        }
    }
}

/// Adds what only an API server can hold: names that are keys, bounds, and rules between fields.
fn refine(spec: &mut Value) {
    let mut at = |path: &str, changes: Value| {
        if let (Some(Value::Object(place)), Value::Object(changes)) = (spec.pointer_mut(path), changes) {
            place.extend(changes);
        }
    };
    let plugins = "/properties/build/properties/plugins";
    let artifacts = format!("{plugins}/items/properties/artifacts");
    at(
        plugins,
        json!({ "maxItems": MAX_PLUGINS, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] }),
    );
    at(&format!("{plugins}/items/properties/name"), json!({ "maxLength": 255 }));
    at(&artifacts, json!({ "maxItems": MAX_ARTIFACTS }));
    at(&format!("{artifacts}/items/properties/url"), json!({ "pattern": ARTIFACT_URL, "maxLength": 32_768 }));
    at(
        &format!("{artifacts}/items"),
        json!({ "x-kubernetes-validations": [
            {
                "rule": "self.type != 'maven' || (has(self.group) && has(self.artifact) && has(self.version))",
                "message": "an artifact of type maven needs group, artifact and version",
            },
            {
                "rule": "self.type == 'maven' || has(self.url)",
                "message": "an artifact of this type needs a url",
            },
            {
                "rule": "!has(self.url) || !self.url.startsWith('ftp:')",
                "message": "ftp is not supported: use https",
            },
        ] }),
    );
    at(&format!("{artifacts}/items/properties/mirrors"), json!({ "maxItems": 100 }));
    at(&format!("{artifacts}/items/properties/sha512sum"), json!({ "pattern": "^[0-9a-fA-F]{128}$" }));
    at(&format!("{artifacts}/items/properties/repository"), json!({ "pattern": "^https?://[^/]" }));
    for field in ["group", "artifact", "version", "fileName"] {
        at(&format!("{artifacts}/items/properties/{field}"), json!({ "minLength": 1, "maxLength": 255 }));
    }
    let secret = "/properties/build/properties/output/properties/pushSecret";
    at(secret, json!({ "pattern": "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "maxLength": 253 }));
    at("/properties/base/properties/platforms", json!({ "maxItems": 32 }));
    at("/properties/base/properties/image", json!({ "maxLength": 1_024 }));
    at("/properties/build/properties/output/properties/image", json!({ "maxLength": 1_024 }));
    at(
        "",
        json!({ "x-kubernetes-validations": [{
            "rule": "self.base.image != self.build.output.image",
            "message": "the output image must not be the base image",
        }] }),
    );
    at(
        "/properties/build/properties/resources",
        json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true }),
    );
}
