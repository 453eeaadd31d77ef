#!/bin/sh
# Takes down the network that start.sh made, with all processes of its hosts.
set -u

dir=/run/autogrow-cluster
[ -e "$dir" ] || exit 0
[ ! -s "$dir/switch.pid" ] || kill "$(cat "$dir/switch.pid")"
for i in $(seq "$(cat "$dir/hosts")"); do
    ip netns pids "h$i" | xargs -r kill -KILL
    ip link delete "agport$i" 2>/dev/null
    ip netns delete "h$i"
    rm -rf "/etc/netns/h$i"
done
ip link delete agbridge 2>/dev/null
rm -rf "$dir"
