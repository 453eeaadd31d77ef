#!/bin/sh
# Ends the cluster that start.sh began, with all that runs on it. `munged` and its key stay: others
# on this machine may use them.
set -u

dir=/run/autogrow-slurm
export SLURM_CONF="$dir/slurm.conf"
scancel --user="$(id -un)" 2>/dev/null
for pid in "$dir"/slurmd-*.pid "$dir"/slurmctld.pid; do
    [ ! -s "$pid" ] || kill "$(cat "$pid")"
done
for _ in $(seq 50); do
    ls "$dir"/*.pid >/dev/null 2>&1 || break
    sleep 0.2
done
rm -rf "$dir"
