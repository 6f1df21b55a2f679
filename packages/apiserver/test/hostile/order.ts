import { configMaps, deployments, get, type HostileRequest } from "./request.ts";

/** Requests with two things wrong: which of them is told says what is looked at first. And failures in other forms than JSON. */
export const order: readonly HostileRequest[] = [
  ...["%2e", "%2e%2e", "%25"].flatMap((name) => [
    get(`${name} as a name`, `${configMaps}/${name}`),
    {
      why: `${name} as the name of what is changed without a type`,
      method: "PATCH",
      path: `${configMaps}/${name}`,
      body: "{}",
      headers: [["Content-Type", "text/plain"]] as const,
    },
    {
      why: `${name} as the name of what cannot be had`,
      method: "GET",
      path: `/api/v1/namespaces/hostile/bindings/${name}`,
    },
    {
      why: `${name} as a pod in which nobody deletes a program`,
      method: "DELETE",
      path: `/api/v1/namespaces/hostile/pods/${name}/exec`,
    },
    {
      why: `${name} as the name of what an unreadable body replaces`,
      method: "PUT",
      path: `${configMaps}/${name}`,
      body: "{",
      headers: [["Content-Type", "application/json"]] as const,
    },
    get(`${name} as a pod whose words are asked for`, `/api/v1/namespaces/hostile/pods/${name}/log`),
    get(`${name} as what has a scale`, `${deployments}/${name}/scale`),
  ]),
  {
    why: "a body of no type, and a field manager that is none",
    method: "POST",
    path: `${configMaps}?fieldManager=%01`,
    body: "{}",
    headers: [["Content-Type", "text/plain"]] as const,
  },
  ...["resourceVersion=a", "continue=x", "resourceVersionMatch=x", "resourceVersionMatch=Exact", "limit=x"].map(
    (query) => ({
      why: `a deletion of all, ${query}`,
      method: "DELETE",
      path: `/api/v1/namespaces/hostile/secrets?${query}`,
    }),
  ),
  get("a failure in YAML", `${configMaps}/none`, { headers: [["Accept", "application/yaml"]] }),
  get("a refusal in YAML", "/api/v1/secrets", { anonymous: true, headers: [["Accept", "application/yaml"]] }),
  get("a failure as a table in YAML", `${configMaps}/none`, {
    headers: [["Accept", "application/yaml;as=Table;g=meta.k8s.io;v=v1"]],
  }),
  get("a failure in HTML", `${configMaps}/none`, { headers: [["Accept", "text/html"]] }),
];
