/** What the host tells the agent when it starts it; goes over the command line as JSON. */
export interface AgentConfig {
  readonly folder: string;
  /** Where the Unix sockets are, and where what may be lost is kept: as the host sees them, whose uid is another inside a user namespace. */
  readonly sockets: string;
  readonly cache: string;
  readonly nodes: readonly NodeConfig[];
  /** Whether it runs in a world of its own, where pods are processes in namespaces. */
  readonly isolated: boolean;
  /** Whether that world was made with a user namespace, as an ordinary user's is. */
  readonly userNamespace: boolean;
  /** The ports of the ingress on the host's network, for redirects. */
  readonly ports: { readonly http: number; readonly https: number };
}

/** One virtual node. */
export interface NodeConfig {
  readonly name: string;
  readonly zone: string;
  /** Kubernetes quantities: what the node says it has. */
  readonly cpu: string;
  readonly memory: string;
  readonly podCidr: string;
  readonly address: string;
}

/** Two nodes in two zones, so that spreading, cordon and drain are real decisions. */
export const defaultNodes: readonly NodeConfig[] = [1, 2].map((number) => ({
  name: `node-${number}`,
  zone: `zone-${number}`,
  cpu: "8",
  memory: "16Gi",
  podCidr: `10.244.${number}.0/24`,
  address: `10.250.0.1${number}`,
}));
