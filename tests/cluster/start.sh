#!/bin/sh
# Hosts on this machine, each a network namespace of its own, on a network of a given bandwidth and
# latency, to try with what several machines would do. Needs root, iproute2, and Python for latency.
#
#     tests/cluster/start.sh HOSTS RATE [MILLISECONDS]      # such as 4 200mbit 1
#     ip netns exec h1 ping h2
#     tests/cluster/stop.sh
#
# Hosts are h1, h2, ..., at 10.77.0.1, ...; they know each other by name. RATE bounds what a host
# sends. Without latency they are on a bridge; with it, on a switch of ours (switch.py), since the
# kernel need not have netem.
set -eu

hosts=$1 rate=$2 latency=${3:-0}
here=$(dirname "$0")
dir=/run/autogrow-cluster

if [ -e "$dir" ]; then
    echo "error: $dir is there already; tests/cluster/stop.sh ends that network" >&2
    exit 2
fi
mkdir -p "$dir"
echo "$hosts" >"$dir/hosts"

for i in $(seq "$hosts"); do
    ip netns add "h$i"
    # `ip netns exec` shows a host the files of this folder in place of those in /etc.
    mkdir -p "/etc/netns/h$i"
    {
        echo "127.0.0.1 localhost"
        for j in $(seq "$hosts"); do echo "10.77.0.$j h$j"; done
    } >"/etc/netns/h$i/hosts"
done

if [ "$latency" = 0 ]; then
    ip link add agbridge type bridge
    ip link set agbridge up
    for i in $(seq "$hosts"); do
        ip link add "agport$i" type veth peer name eth0 netns "h$i"
        ip link set "agport$i" mtu 9000 master agbridge up
    done
else
    # Before everything else that computes here: no host slows down a real switch.
    chrt --fifo 10 python3 "$here/switch.py" "$hosts" "$latency" &
    echo $! >"$dir/switch.pid"
    # Its ports are the other ends of the hosts' cables.
    for i in $(seq "$hosts"); do
        for _ in $(seq 50); do
            ip link show "agport$i" >/dev/null 2>&1 && break
            sleep 0.1
        done
        ip link set "agport$i" netns "h$i" name eth0
    done
fi

for i in $(seq "$hosts"); do
    ip -netns "h$i" link set lo up
    # The last byte of the address is the host's number, which the switch goes by.
    ip -netns "h$i" link set eth0 address "02:00:00:00:00:$(printf %02x "$i")" mtu 9000 up
    ip -netns "h$i" address add "10.77.0.$i/24" dev eth0
    ip netns exec "h$i" tc qdisc add dev eth0 root tbf rate "$rate" burst 64kb latency 200ms
    # A pause between two steps is no reason to begin slowly again.
    ip netns exec "h$i" sysctl -q net.ipv4.tcp_slow_start_after_idle=0
done
ip netns exec h1 ping -q -c 5 -i 0.2 h2 | tail -n 1
