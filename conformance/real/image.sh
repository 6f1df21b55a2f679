#!/usr/bin/env bash
# Writes an image archive of programs that this machine has, for the whole real cluster, which has no way to a registry:
#   image.sh FILE.tar REFERENCE PROGRAM…
set -euo pipefail
file=$1; reference=$2; shift 2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
root=$work/root; mkdir -p "$root"/{bin,etc,tmp,usr/bin,proc,sys,dev,run,root,home,var/tmp,opt}
chmod 1777 "$root/tmp" "$root/var/tmp"
# Libraries stay where the programs look for them, the loader included.
libraries() { ldd "$1" 2> /dev/null | grep -o '/[^ )]*' | sort -u || true; }
for program in "$@"; do
  path=$(type -P "$program" || true)
  [ -f "$path" ] || continue
  path=$(readlink -f "$path")
  cp -L "$path" "$root/usr/bin/$(basename "$program")"
  for library in $(libraries "$path"); do mkdir -p "$root$(dirname "$library")"; cp -L "$library" "$root$library"; done
done
for name in "$root"/usr/bin/*; do ln -sf "../usr/bin/$(basename "$name")" "$root/bin/"; done
# Names of services and hosts are looked up by these, which no program lists as its own.
for library in libnss_files.so.2 libnss_dns.so.2; do
  path=$(ldconfig -p | grep -o "/[^ ]*$library" | head -1 || true)
  [ "$path" ] && mkdir -p "$root$(dirname "$path")" && cp -L "$path" "$root$path"
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
tar --owner=0 --group=0 --numeric-owner -C "$root" -cf "$work/layer.tar" .
layer=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
architecture=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
cat > "$work/config.json" <<JSON
{"architecture": "$architecture", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:$layer"]},
 "config": {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Cmd": ["sh"]}}
JSON
printf '[{"Config": "config.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]' "$reference" > "$work/manifest.json"
tar -C "$work" -cf "$file" manifest.json config.json layer.tar
