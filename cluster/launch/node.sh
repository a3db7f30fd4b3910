#!/bin/sh
# The entrypoint of every machine of a cluster: `node head`, `node worker` or `node control`; what follows `control` goes to `coinswarm serve`.
#
# COINSWARM_HEAD         host:port of the Ray head (worker, control); default 127.0.0.1:6379
# COINSWARM_NODE_IP      the address this node is known by; default: what Ray finds
# COINSWARM_CPUS         processors to offer (head: 0, so that nothing competes with it; worker: all)
# COINSWARM_RAY_OPTIONS  more options of `ray start`, such as ports where several nodes share a machine
# RAY_AUTH_TOKEN_PATH    a file with the cluster's token, the same on every node; none: whoever reaches the ports is let in
# COINSWARM_HEAD_PORT, COINSWARM_DASHBOARD_HOST, COINSWARM_DASHBOARD_PORT  where a head listens
set -eu
umask 077
role="${1:?head, worker or control}"
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

case "$role" in
head)
    start --head --block --port="${COINSWARM_HEAD_PORT:-6379}" --num-cpus="${COINSWARM_CPUS:-0}" \
        --dashboard-host="${COINSWARM_DASHBOARD_HOST:-127.0.0.1}" --dashboard-port="${COINSWARM_DASHBOARD_PORT:-8265}"
    ;;
worker)
    joined ${COINSWARM_CPUS:+--num-cpus="$COINSWARM_CPUS"} --block
    ;;
control)
    # Drivers hand out work from here and bars are read here, so this machine is a node too, one that computes nothing itself.
    joined --num-cpus=0
    owned
    exec env RAY_ADDRESS="$head" coinswarm serve "$@"
    ;;
*)
    echo "node: head, worker or control, found $role" >&2
    exit 2
    ;;
esac
