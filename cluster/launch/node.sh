#!/bin/sh
# The entrypoint of every machine of a cluster: `node head`, `node worker` or `node control`.
#
# COINSWARM_HEAD     host:port of the Ray head (worker, control); default 127.0.0.1:6379
# COINSWARM_NODE_IP  the address this node is known by; default: what Ray finds
# COINSWARM_CPUS     processors to offer (head: 0, so that nothing competes with it; worker: all)
# COINSWARM_HEAD_PORT, COINSWARM_DASHBOARD_HOST, COINSWARM_DASHBOARD_PORT  where a head listens
set -eu
role="${1:?head, worker or control}"
shift
export RAY_USAGE_STATS_ENABLED=0
head="${COINSWARM_HEAD:-127.0.0.1:6379}"

start() {
    ray start --disable-usage-stats ${COINSWARM_NODE_IP:+--node-ip-address="$COINSWARM_NODE_IP"} "$@"
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

case "$role" in
head)
    exec ray start --disable-usage-stats ${COINSWARM_NODE_IP:+--node-ip-address="$COINSWARM_NODE_IP"} --head --block \
        --port="${COINSWARM_HEAD_PORT:-6379}" --num-cpus="${COINSWARM_CPUS:-0}" \
        --dashboard-host="${COINSWARM_DASHBOARD_HOST:-127.0.0.1}" --dashboard-port="${COINSWARM_DASHBOARD_PORT:-8265}"
    ;;
worker)
    joined ${COINSWARM_CPUS:+--num-cpus="$COINSWARM_CPUS"} --block
    ;;
control)
    # Drivers hand out work from here and bars are read here, so this machine is a node too, one that computes nothing itself.
    joined --num-cpus=0
    exec env RAY_ADDRESS="$head" coinswarm serve "$@"
    ;;
*)
    echo "node: head, worker or control, found $role" >&2
    exit 2
    ;;
esac
