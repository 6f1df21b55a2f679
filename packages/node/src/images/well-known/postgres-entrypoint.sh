#!/bin/sh
# What the official image's entrypoint promises: a new data folder gets the user POSTGRES_USER with POSTGRES_PASSWORD and the database POSTGRES_DB, and the
# *.sql, *.sql.gz and *.sh files of /docker-entrypoint-initdb.d are run once. A prepared data folder is copied, which takes a tenth of the time of
# initdb. Over TCP a password is always asked for (scram-sha-256).
set -eu
umask 077
if [ "${1:-}" = "" ]; then set -- postgres; fi
case "$1" in -*) set -- postgres "$@" ;; esac
[ "$1" = postgres ] || exec "$@"
shift

file_env() {
  eval "value=\${$1:-}; file=\${$1_FILE:-}"
  if [ -n "$file" ]; then value=$(cat "$file"); fi
  printf %s "$value"
}
user=$(file_env POSTGRES_USER); user=${user:-postgres}
password=$(file_env POSTGRES_PASSWORD)
database=$(file_env POSTGRES_DB); database=${database:-$user}
auth=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}

mkdir -p "$PGDATA" || { echo "PGDATA $PGDATA cannot be made: mount a volume there" >&2; exit 1; }
# PostgreSQL wants to own its folder; the root of a volume may be somebody else's.
if [ ! -O "$PGDATA" ] && [ ! -s "$PGDATA/PG_VERSION" ]; then PGDATA=$PGDATA/pgdata; mkdir -p "$PGDATA"; export PGDATA; fi

# Two servers on one data folder destroy it, and postmaster.pid does not keep them apart: in its own process namespace, each is number 1. So a pod that
# comes while the one before it still ends waits here. Whatever is started from here holds the lock as well, until the last of it has ended.
exec 9< "$PGDATA"
trap 'exit 143' TERM INT
flock 9 & wait $!
trap - TERM INT

# A volume's fsGroup opens its folders to the group at every mount; PostgreSQL does not start in a folder that others may write to.
chmod 700 "$PGDATA"

quoted() { printf %s "$1" | sed "s/'/''/g"; }
identifier() { printf %s "$1" | sed 's/"/""/g'; }
# What is half made is made anew: it need not reach the disk file by file.
single() { postgres --single -F -j -D "$PGDATA" "$1" > /dev/null; }

# The first thing that a script asks for and does not get ends the pod, which begins anew: as psql's ON_ERROR_STOP does.
script() {
  if ! said=$(postgres --single -F -j -D "$PGDATA" "$database" 2>&1 > /dev/null) || printf %s "$said" | grep -q 'ERROR:'; then
    printf '%s\n' "$said" >&2
    exit 1
  fi
}

if [ ! -s "$PGDATA/PG_VERSION" ] || [ -e "$PGDATA/.unfinished" ]; then
  if [ -z "$password" ] && [ "$auth" != trust ]; then
    echo "Error: Database is uninitialized and superuser password is not specified." >&2
    echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
    exit 1
  fi
  find "$PGDATA" -mindepth 1 -delete 2> /dev/null || true
  : > "$PGDATA/.unfinished"
  cp -R "$POSTGRES_PREPARED/." "$PGDATA/"
  chmod -R go-rwx "$PGDATA"
  {
    echo "local all all trust"
    echo "host all all all $auth"
  } > "$PGDATA/pg_hba.conf"
  {
    if [ "$user" != postgres ]; then
      printf "UPDATE pg_authid SET rolname = '%s' WHERE rolname = 'postgres';\n\n" "$(quoted "$user")"
    fi
    if [ -n "$password" ]; then
      printf "ALTER ROLE \"%s\" PASSWORD '%s';\n\n" "$(identifier "$user")" "$(quoted "$password")"
    fi
    if [ "$database" != postgres ]; then printf 'CREATE DATABASE "%s";\n\n' "$(identifier "$database")"; fi
  } | single postgres
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sql) echo "running $file"; script < "$file" ;;
      *.sql.gz) echo "running $file"; gunzip -c "$file" | script ;;
      *.sh) echo "running $file"; if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
    esac
  done
  (sync -f "$PGDATA" > /dev/null 2>&1 &)
  rm "$PGDATA/.unfinished"
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
