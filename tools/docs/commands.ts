/** Which test runs a command that a document shows, and a part of it by which that is seen. */
export interface Proof {
  readonly file: string;
  readonly with: string;
}

const documents = "tools/docs.test.ts";
const readme = "tools/readme.test.ts";
const every = ".ci/run";

const secrets = "systems/bookmeup/test/operators/secrets.ts";
const environments = "systems/bookmeup/test/operators/environments.ts";

/** Sections whose commands one test reads from the document and runs as a whole, by their heading. */
export const sectionsProvenBy: Readonly<Record<string, string>> = {
  "Change the database password": secrets,
  "Change the key of the tokens": secrets,
  "Forget the old key of the tokens": secrets,
  "Serve HTTPS with a certificate of one's own": environments,
};

export const provenBy: Readonly<Record<string, Proof>> = {
  "npm install && npx dhow up systems/bookmeup": { file: readme, with: 'shown("npx dhow up")' },
  "npm install && npm test": { file: every, with: "npm test" },
  "sudo apt-get install -y util-linux mount bsdutils hostname iproute2 nftables": {
    file: documents,
    with: "requiredPrograms.map",
  },
  "export KUBECONFIG=$(npx dhow kubeconfig systems/bookmeup)": { file: readme, with: 'shown("export KUBECONFIG=")' },
  "kubectl get pods": { file: readme, with: 'shown("kubectl get pods")' },
  "kubectl rollout restart deployment/auth-service": { file: readme, with: 'shown("kubectl rollout restart")' },
  "npx dhow render systems/bookmeup --environment production": {
    file: documents,
    with: 'dhow("render", "systems/bookmeup", "--environment", "production")',
  },
  "npx dhow apply systems/bookmeup --environment staging": {
    file: environments,
    with: 'cluster.dhow("apply", "--environment", name)',
  },
  "npx dhow --help": { file: documents, with: 'dhow("--help")' },
  "npx dhow up systems/bookmeup --port 8081": { file: readme, with: "--port" },
  // Takes minutes and says nothing that could be wrong; that it is a script is what is looked at.
  "npm run bench": { file: "package.json", with: '"bench": ' },
  "npm run bench -- writes reads": { file: "bench/main.ts", with: "wanted.includes(name)" },
};
