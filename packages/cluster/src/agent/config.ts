/** What the host tells the agent when it starts it; goes over the command line as JSON. */
export interface AgentConfig {
  readonly folder: string;
  /** Where the Unix sockets are, and where what may be lost is kept: as the host sees them, whose uid is another inside a user namespace. */
  readonly sockets: string;
  readonly cache: string;
  /** Who it is to the API server and how it knows that server; a path, as the command line is everybody's to read. It is reached by the socket. */
  readonly kubeconfig: string;
  /** The addresses of Services: the first is the API server's, the tenth is that of DNS. */
  readonly serviceCidr: string;
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
  /** Where the API server reaches this node's kubelet over HTTPS; without it there is the agent's socket only. */
  readonly kubelet?: { readonly address: string; readonly port: number };
}

/** The addresses of the embedded cluster's Services. */
export const serviceCidr = "10.96.0.0/16";

/** Two nodes in two zones, so that spreading, cordon and drain are real decisions. */
export const defaultNodes: readonly NodeConfig[] = [1, 2].map((number) => ({
  name: `node-${number}`,
  zone: `zone-${number}`,
  cpu: "8",
  memory: "16Gi",
  podCidr: `10.244.${number}.0/24`,
  address: `10.250.0.1${number}`,
}));
