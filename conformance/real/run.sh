#!/usr/bin/env bash
# Runs conformance suites against a whole real Kubernetes with containers (root only), as it is described by its README:
#   DHOW_REAL_KUBERNETES=<its folder> conformance/real/run.sh [FILE.test.ts or option of node --test…]
# DHOW_REAL_CLUSTER names the folder of a cluster that is kept; without it one is made for this run and forgotten at the end.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); repository=$(cd "$here/../.." && pwd)
real=${DHOW_REAL_KUBERNETES:-$repository/../shared/real-kubernetes}
[ -x "$real/up" ] || { echo "no real Kubernetes: DHOW_REAL_KUBERNETES names its folder" >&2; exit 77; }
# The same Node that everything else runs on: this one where it is new enough, else the one that npm installed.
node=$(node --input-type=module -e "import { suitableNode } from '$repository/packages/cli/bin/node.js'; console.log(suitableNode());")
if [ "${DHOW_REAL_CLUSTER:-}" ]; then folder=$DHOW_REAL_CLUSTER
else folder=$(mktemp -d); trap '"$real/down" "$folder" --forget > /dev/null; rm -rf "$folder"' EXIT; fi
kubeconfig=$("$real/up" "$folder" --node)
if [ ! -e "$folder/conformance-images" ]; then
  # The suites taint and load the only node. What serves all of them stays where it is, gets processor before them, and is not given up because it answers late.
  for addon in coredns traefik metrics-server; do
    "$real/inside" "$folder" kubectl -n kube-system patch deployment "$addon" -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}],
      "containers": [{"name": "'"$addon"'", "resources": {"requests": {"cpu": "50m"}}, "readinessProbe": {"timeoutSeconds": 10, "failureThreshold": 6}}]}}}}' > /dev/null
  done
  tools="sh bash cat ls mkdir rm mv cp ln chmod chown touch sleep echo printf date env id hostname uname head tail wc sort uniq cut tr tee seq yes dd df du
    stat sha256sum md5sum base64 true false test expr basename dirname readlink mktemp timeout nproc stty tty kill ps grep sed awk find xargs tar gzip getent curl mount od cmp diff sync"
  # shellcheck disable=SC2086
  "$here/image.sh" "$folder/tools.tar" docker.io/library/busybox:1.37 $tools
  # shellcheck disable=SC2086
  PATH=$(dirname "$node"):$PATH "$here/image.sh" "$folder/node.tar" docker.io/library/node:24 node $tools
  for name in tools node; do "$real/inside" "$folder" ctr images import "$folder/$name.tar" > /dev/null; rm "$folder/$name.tar"; done
  touch "$folder/conformance-images"
fi
suites() {
  "$real/inside" "$folder" env DHOW_CONFORMANCE_KUBECONFIG="$kubeconfig" DHOW_CONFORMANCE_INGRESS=http://10.250.0.1 DHOW_CONFORMANCE_INGRESS_TLS=https://10.250.0.1 \
    DHOW_CONFORMANCE_NODE_HOST=10.250.0.1 DHOW_KUBECTL="${DHOW_KUBECTL:-$("$real/inside" "$folder" which kubectl)}" \
    "$node" --disable-warning=ExperimentalWarning --test --test-concurrency=${C:-6} --test-reporter=spec "$@"
}
if [ $# -gt 0 ]; then suites "$@"; exit; fi
# Taints and cordons of the only node would be felt by every other suite.
others=()
for file in "$repository"/conformance/{kubectl,behaviour}/*.test.ts; do [ "${file##*/}" = nodes.test.ts ] || others+=("$file"); done
failed=0
suites "$repository"/conformance/kubectl/nodes.test.ts || failed=1
suites "${others[@]}" || failed=1
exit $failed
