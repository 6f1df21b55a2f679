/** A ConfigMap of half a kilobyte, as applications have them. */
export function configMap(name: string, version = 0): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, labels: { app: "shop", tier: "web" }, annotations: { owner: "team-shop@example.org" } },
    data: {
      "settings.json": `{"version":${version},"listen":8080,"workers":4,"features":["search","basket","reviews"]}`,
      LOG_LEVEL: "info",
      DATABASE_URL: "postgres://shop@postgres:5432/shop",
      CACHE: "redis://redis:6379/0",
    },
  });
}

export function namespace(name: string): string {
  return JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
}

export function deployment(name: string, replicas: number, version = 0): string {
  const labels = { app: name };
  const container = {
    name: "web",
    image: "example.org/shop/web:1.0",
    env: [{ name: "VERSION", value: String(version) }],
    ports: [{ containerPort: 8080 }],
    resources: { requests: { cpu: "10m", memory: "16Mi" } },
  };
  return JSON.stringify({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
}
