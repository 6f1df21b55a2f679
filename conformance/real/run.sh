#!/usr/bin/env bash
# Runs conformance suites against a whole real Kubernetes with containers (root only), as it is described by its README:
#   DHOW_REAL_KUBERNETES=<its folder> conformance/real/run.sh [FILE.test.ts or option of node --test…]
# DHOW_REAL_CLUSTER names the folder of a cluster that is kept; without it one is made for this run, and nothing of it is left at the end.
# The kubectl is that of the real Kubernetes; DHOW_KUBECTL names others. The last line says how many facts held. 77: there is no real Kubernetes here, or it does not start.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); repository=$(cd "$here/../.." && pwd)
real=${DHOW_REAL_KUBERNETES:-$repository/../shared/real-kubernetes}
[ -x "$real/up" ] || { echo "no real Kubernetes: DHOW_REAL_KUBERNETES names its folder" >&2; exit 77; }
[ "$(id -u)" = 0 ] || { echo "a whole real Kubernetes wants root" >&2; exit 77; }
# The same Node that everything else runs on: this one where it is new enough, else the one that npm installed.
node=$(node --input-type=module -e "import { suitableNode } from '$repository/packages/cli/bin/node.js'; console.log(suitableNode());")

own=$(mktemp -d); folder=${DHOW_REAL_CLUSTER:-$own/cluster}; mkdir -p "$folder"
# What a kubelet makes outside of its folder, where there was none before.
groups=(); for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*/; do [ -e "$hierarchy/kubepods" ] || groups+=("$hierarchy/kubepods"); done
running=
leave() {
  # Whoever ends this script ends what it started.
  [ -z "$running" ] || { kill -- "-$running" && wait "$running"; } 2> /dev/null || true
  if [ -z "${DHOW_REAL_CLUSTER:-}" ]; then
    "$real/down" "$folder" --forget
    # Its processes take a moment to end.
    for place in "${groups[@]}"; do
      for _ in $(seq 50); do find "$place" -depth -type d -exec rmdir {} + 2> /dev/null && break; [ -d "$place" ] || break; sleep 0.1; done
    done
  fi
  rm -rf "$own"
}
trap leave EXIT
trap 'exit 130' INT; trap 'exit 143' TERM HUP

# Its logs are under /var/log, whatever its folder is: that is a place of its own, which goes with it, and no other kubelet of this machine tidies it up.
kubeconfig=$(unshare --mount bash -c 'mount -t tmpfs tmpfs /var/log && exec "$@"' - "$real/up" "$folder" --node) || { echo "the real Kubernetes does not start on this machine" >&2; exit 77; }
inside() { "$real/inside" "$folder" "$@"; }

# The suites taint and load the only node. What serves all of them stays where it is, gets processor before them, and is not given up because it answers late.
settle() {
  for addon in coredns traefik metrics-server; do
    inside kubectl -n kube-system patch deployment "$addon" -p '{"spec": {"template": {"spec": {"tolerations": [{"operator": "Exists"}],
      "containers": [{"name": "'"$addon"'", "resources": {"requests": {"cpu": "50m"}}, "readinessProbe": {"timeoutSeconds": 10, "failureThreshold": 6}}]}}}}' > /dev/null
  done
  local tools="sh bash cat ls mkdir rm mv cp ln chmod chown touch sleep echo printf date env id hostname uname head tail wc sort uniq cut tr tee seq yes dd df du
    stat sha256sum md5sum base64 true false test expr basename dirname readlink mktemp timeout nproc stty tty kill ps grep sed awk find xargs tar gzip getent curl mount od cmp diff sync"
  # shellcheck disable=SC2086
  "$here/image.sh" "$folder/tools.tar" docker.io/library/busybox:1.37 $tools
  # shellcheck disable=SC2086
  PATH=$(dirname "$node"):$PATH "$here/image.sh" "$folder/node.tar" docker.io/library/node:24 node $tools
  for name in tools node; do inside ctr images import "$folder/$name.tar" > /dev/null; rm "$folder/$name.tar"; done
  inside kubectl -n kube-system rollout status deployment --timeout=60s > /dev/null
  touch "$folder/conformance-ready"
}
if [ ! -e "$folder/conformance-ready" ]; then
  set +e; (set -e; settle); settled=$?; set -e
  [ $settled = 0 ] || { echo "the real Kubernetes cannot be prepared on this machine" >&2; exit 77; }
fi

failed=0
suites() {
  set -m
  inside env DHOW_CONFORMANCE_KUBECONFIG="$kubeconfig" DHOW_CONFORMANCE_INGRESS=http://10.250.0.1 DHOW_CONFORMANCE_INGRESS_TLS=https://10.250.0.1 \
    DHOW_CONFORMANCE_NODE_HOST=10.250.0.1 DHOW_KUBECTL="${DHOW_KUBECTL:-$(inside which kubectl)}" \
    "$node" --disable-warning=ExperimentalWarning --test --test-concurrency=3 --test-timeout=300000 --test-reporter=spec "$@" | tee -a "$said" &
  running=$(jobs -p %%)
  set +m
  wait %% || failed=1
  running=
}
said=$own/said
if [ $# -gt 0 ]; then suites "$@"
else
  # Taints and cordons of the only node would be felt by every suite that runs pods.
  cd "$repository/conformance"
  first=(kubectl/{nodes,apply,change}.test.ts behaviour/{api,apply,custom-resources,limits,rights}.test.ts)
  others=()
  for file in {behaviour,kubectl}/*.test.ts; do [[ " ${first[*]} " == *" $file "* ]] || others+=("$file"); done
  suites "${first[@]}"
  suites "${others[@]}"
fi
count() { awk -v what="$1" '$1 == "ℹ" && $2 == what { sum += $3 } END { print sum + 0 }' "$own/said"; }
counts="$(count pass) passed, $(count fail) failed, $(count cancelled) cancelled, $(count skipped) skipped"

# A few that fail may have met controllers in an order that they did not think of, on a node that 500 facts share. What fails again, by itself, does not hold.
if [ $# = 0 ] && [ $failed = 1 ] && [ "$(count fail)" -gt 0 ] && [ "$(count fail)" -le 5 ]; then
  names=()
  while IFS= read -r name; do names+=("--test-name-pattern=$(sed 's/[][\.*^$()+?{}|/]/\\&/g' <<< "$name")"); done < <(
    awk '/^▶ / { listed = 0 } listed && sub(/^✖ /, "") { sub(/ \([0-9.]+ms\)$/, ""); print } /^✖ failing tests:/ { listed = 1 }' "$own/said" | sort -u)
  echo "once more, by themselves:"; printf '  %s\n' "${names[@]#*=}"
  failed=0 said=$own/again
  suites "${names[@]}" {behaviour,kubectl}/*.test.ts
  [ $failed = 1 ] || counts="$counts, and held when tried again"
fi
echo "facts on a real Kubernetes: $counts, in $SECONDS s"
exit $failed
