import assert from "node:assert/strict";
import { test } from "node:test";
import * as kube from "@dhow/kube";
import { fieldFault, formatFault, quote } from "@dhow/kube";

// Every expected text here was answered by a Kubernetes 1.36 API server, or stands in its sources.

test("errors carry the message, reason, code and details of the API", () => {
  assert.deepEqual(kube.notFound("pods", "x").status, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: 'pods "x" not found',
    reason: "NotFound",
    details: { name: "x", kind: "pods" },
    code: 404,
  });
  assert.deepEqual(kube.notFound("deployments.apps", "x").status.details, {
    name: "x",
    group: "apps",
    kind: "deployments",
  });
  assert.deepEqual(kube.unauthorized().status, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: "Unauthorized",
    reason: "Unauthorized",
    code: 401,
  });
  assert.deepEqual(kube.unknownResource().status.details, {});
});

const messages: [kube.StatusError, number, string, string][] = [
  [kube.alreadyExists("deployments.apps", "web"), 409, "AlreadyExists", 'deployments.apps "web" already exists'],
  [
    kube.conflict("deployments.apps", "web"),
    409,
    "Conflict",
    'Operation cannot be fulfilled on deployments.apps "web": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    kube.forbidden("pods", "", 'User "u" cannot list resource "pods" in API group "" at the cluster scope'),
    403,
    "Forbidden",
    'pods is forbidden: User "u" cannot list resource "pods" in API group "" at the cluster scope',
  ],
  [kube.forbidden("pods", "x", "no"), 403, "Forbidden", 'pods "x" is forbidden: no'],
  [kube.forbidden("", "", "no"), 403, "Forbidden", "forbidden: no"],
  [
    kube.methodNotAllowed("bindings", "list"),
    405,
    "MethodNotAllowed",
    'list is not supported on resources of kind "bindings"',
  ],
  [kube.unknownMethod(), 405, "MethodNotAllowed", "the server does not allow this method on the requested resource"],
  [kube.expired("too old resource version: 1 (5)"), 410, "Expired", "too old resource version: 1 (5)"],
  [
    kube.unsupportedMediaType(["application/json", "application/yaml"]),
    415,
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
  ],
  [
    kube.notAcceptable(["application/json"]),
    406,
    "NotAcceptable",
    "406: Not Acceptable\n\nAvailable representations: application/json",
  ],
  [kube.tooLarge("limit is 3145728"), 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"],
  [kube.internalError("boom"), 500, "InternalError", "Internal error occurred: boom"],
  [kube.timeout("too slow"), 504, "Timeout", "Timeout: too slow"],
  [
    kube.serverTimeout("pods", "create", 1),
    500,
    "ServerTimeout",
    "The create operation against pods could not be completed at this time, please try again.",
  ],
];

for (const [error, code, reason, message] of messages) {
  test(`${reason}: ${message}`, () => {
    assert.equal(error.message, message);
    assert.equal(error.code, code);
    assert.equal(error.reason, reason);
    assert.equal(error.status.message, message);
  });
}

test("one fault stands alone, several in brackets, equal ones once in the message and each in the causes", () => {
  const required = fieldFault.required("spec.selector");
  assert.equal(
    kube.invalid("apps", "Deployment", "web", [required]).message,
    'Deployment.apps "web" is invalid: spec.selector: Required value',
  );
  const error = kube.invalid("", "Pod", "x", [
    required,
    required,
    fieldFault.notSupported("spec.restartPolicy", "x", ["Always", "OnFailure", "Never"]),
  ]);
  assert.equal(
    error.message,
    'Pod "x" is invalid: [spec.selector: Required value, spec.restartPolicy: Unsupported value: "x": supported values: "Always", "OnFailure", "Never"]',
  );
  assert.deepEqual(error.status.details, {
    name: "x",
    kind: "Pod",
    causes: [
      { reason: "FieldValueRequired", message: "Required value", field: "spec.selector" },
      { reason: "FieldValueRequired", message: "Required value", field: "spec.selector" },
      {
        reason: "FieldValueNotSupported",
        message: 'Unsupported value: "x": supported values: "Always", "OnFailure", "Never"',
        field: "spec.restartPolicy",
      },
    ],
  });
});

test("faults show values as the server does", () => {
  const bodies: [kube.FieldFault, string][] = [
    [fieldFault.invalid("a", 0, "d"), "a: Invalid value: 0: d"],
    [fieldFault.invalid("a", true, "d"), "a: Invalid value: true: d"],
    [fieldFault.invalid("a", null, "d"), "a: Invalid value: null: d"],
    [fieldFault.invalid("a", undefined, "d"), 'a: Invalid value: "": d'],
    [
      fieldFault.invalid("spec.selector", { matchLabels: { app: "x" } }, "field is immutable"),
      'spec.selector: Invalid value: {"matchLabels":{"app":"x"}}: field is immutable',
    ],
    [fieldFault.duplicate("a[1]", "x"), 'a[1]: Duplicate value: "x"'],
    [fieldFault.notFound("a", "x"), 'a: Not found: "x"'],
    [fieldFault.tooLong("a", 63), "a: Too long: may not be more than 63 bytes"],
    [fieldFault.tooMany("a", 5, 3), "a: Too many: 5: must have at most 3 items"],
    [fieldFault.forbidden("a", "no"), "a: Forbidden: no"],
  ];
  for (const [fault, expected] of bodies) assert.equal(formatFault(fault), expected);
});

test("quotes as Go does", () => {
  assert.equal(quote('A\u0001é"\\\n\u200b😀'), '"A\\x01é\\"\\\\\\n\\u200b😀"');
});
