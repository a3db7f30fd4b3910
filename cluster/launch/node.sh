#!/bin/sh
# The entrypoint of every machine of a cluster: `node head`, `node worker` or `node control`; what follows `control` goes to `coinswarm serve`.
# `node backup` writes backups by the clock, `node backup --once` writes one.
#
# COINSWARM_HEAD         host:port of the Ray head (worker, control); default 127.0.0.1:6379
# COINSWARM_NODE_IP      the address this node is known by; default: what Ray finds
# COINSWARM_CPUS         processors to offer (head: 0, so that nothing competes with it; worker: all)
# COINSWARM_RAY_OPTIONS  more options of `ray start`, such as ports where several nodes share a machine
# RAY_AUTH_TOKEN_PATH    a file with the cluster's token, the same on every node; none: whoever reaches the ports is let in
# COINSWARM_HEAD_PORT, COINSWARM_DASHBOARD_HOST, COINSWARM_DASHBOARD_PORT  where a head listens
# COINSWARM_BACKUP_FOLDER, COINSWARM_BACKUP_HOURS, COINSWARM_BACKUP_KEEP  where backups go (/backups), how old the newest may become (24), how
#                        many stay (7)
# NUMBA_CACHE_DIR        compiled kernels; a folder that is not there yet starts with those of the image
set -eu
umask 077
role="${1:?head, worker, control or backup}"
shift
export RAY_USAGE_STATS_ENABLED=0
# Said aloud, because a head that finds a token by chance would ask for it and its workers would not show it.
if [ -n "${RAY_AUTH_TOKEN_PATH:-}${RAY_AUTH_TOKEN:-}" ]; then mode=token; else mode=disabled; fi
export RAY_AUTH_MODE="${RAY_AUTH_MODE:-$mode}"
head="${COINSWARM_HEAD:-127.0.0.1:6379}"
home="${COINSWARM_HOME:-$HOME/.coinswarm}"

# Options are words on purpose.
# shellcheck disable=SC2086
start() {
    ray start --disable-usage-stats ${COINSWARM_NODE_IP:+--node-ip-address="$COINSWARM_NODE_IP"} "$@" ${COINSWARM_RAY_OPTIONS:-}
}

# A worker may be up before its head is.
joined() {
    tries=0
    until start --address="$head" "$@"; do
        tries=$((tries + 1))
        [ "$tries" -lt "${COINSWARM_TRIES:-30}" ] || { echo "no Ray head answers at $head" >&2; exit 1; }
        sleep 2
    done
}

# The API listens beyond this machine only once somebody may use it: the first start makes the owner's token.
owned() {
    [ ! -s "$home/owner.token" ] || return 0
    mkdir -p "$home"
    if (umask 077 && coinswarm token create owner --role admin > "$home/owner.token.new"); then
        mv "$home/owner.token.new" "$home/owner.token"
    else
        rm -f "$home/owner.token.new"
        echo "no new token was made for the owner" >&2
    fi
}

# On a read-only root the cache of the image cannot be written, and Numba uses none that it cannot write.
warmed() {
    [ -z "${NUMBA_CACHE_DIR:-}" ] || [ -e "$NUMBA_CACHE_DIR" ] || [ ! -d "$HOME/.numba" ] || cp -R "$HOME/.numba" "$NUMBA_CACHE_DIR"
}

# A backup, read again to its end; only then older ones go. Their names sort by time.
backed_up() {
    rm -f "$backups"/.coinswarm-*.partial
    file="$backups/coinswarm-$(date -u +%Y%m%d-%H%M%S).zip"
    coinswarm db backup "$file" || return 1
    coinswarm db restore --check "$file" || { rm -f "$file"; return 1; }
    find "$backups" -name 'coinswarm-*.zip' | sort -r | tail -n "+$((${COINSWARM_BACKUP_KEEP:-7} + 1))" | xargs -r rm -f
}

case "$role" in
head)
    start --head --block --port="${COINSWARM_HEAD_PORT:-6379}" --num-cpus="${COINSWARM_CPUS:-0}" \
        --dashboard-host="${COINSWARM_DASHBOARD_HOST:-127.0.0.1}" --dashboard-port="${COINSWARM_DASHBOARD_PORT:-8265}"
    ;;
worker)
    warmed
    joined ${COINSWARM_CPUS:+--num-cpus="$COINSWARM_CPUS"} --block
    ;;
control)
    # Drivers hand out work from here and bars are read here, so this machine is a node too, one that computes nothing itself.
    warmed
    joined --num-cpus=0
    owned
    exec env RAY_ADDRESS="$head" coinswarm serve "$@"
    ;;
backup)
    backups="${COINSWARM_BACKUP_FOLDER:-/backups}"
    if [ "${1:-}" = --once ]; then
        backed_up
        exit
    fi
    # Asked every five minutes, so that a start writes none too many and a failure is tried again soon.
    while :; do
        fresh="$(find "$backups" -name 'coinswarm-*.zip' -mmin "-$((60 * ${COINSWARM_BACKUP_HOURS:-24}))")"
        [ -n "$fresh" ] || backed_up || echo "node: no backup was written; the next try is in five minutes" >&2
        sleep 300
    done
    ;;
*)
    echo "node: head, worker, control or backup, found $role" >&2
    exit 2
    ;;
esac
