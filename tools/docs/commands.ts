/** Which test runs a command that a document shows, and a part of it by which that is seen. */
export interface Proof {
  readonly file: string;
  readonly with: string;
}

const here = "tools/docs.test.ts";
const up = "packages/cli/test/up.test.ts";

export const provenBy: Readonly<Record<string, Proof>> = {
  "npm install && npx dhow up systems/bookmeup": { file: "x", with: "" },
  "npm install && npm test": { file: ".ci/run", with: "npm test" },
  "sudo apt-get install -y util-linux mount bsdutils hostname iproute2 nftables": {
    file: ".ci/run",
    with: "apt-get install",
  },
  "export KUBECONFIG=$(npx dhow kubeconfig systems/bookmeup)": { file: up, with: '"kubeconfig"' },
  "kubectl get pods": { file: "x", with: "" },
  "kubectl rollout restart deployment/auth-service": { file: "x", with: "" },
  "npx dhow render systems/bookmeup --environment production": {
    file: here,
    with: '"render", "systems/bookmeup", "--environment", "production"',
  },
  "npx dhow --help": { file: here, with: 'dhow("--help")' },
  "npx dhow up systems/bookmeup --port 8081": { file: up, with: '"--port"' },
  "npm run bench": { file: "bench/main.ts", with: "" },
};
