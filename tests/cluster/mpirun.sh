#!/bin/sh
# `mpirun` on the hosts of start.sh, one rank each:
#
#     tests/cluster/mpirun.sh PROGRAM ARGUMENT...
#
# `btl_tcp_flags 1` has long messages sent in pieces. Without, Open MPI hands a message to the
# connection as a whole, the word that the one in the other direction may begin waits behind it, and
# two ranks that send to each other take turns: twice the time.
set -eu

hosts=$(cat /run/autogrow-cluster/hosts)
list=$(seq -s, -f 'h%g:1' "$hosts")
here=$(cd "$(dirname "$0")" && pwd)
exec ip netns exec h1 unshare --uts sh -c 'hostname h1; exec "$@"' sh \
    mpirun --allow-run-as-root --host "$list" -np "$hosts" \
    --mca plm_rsh_agent "$here/on-host.sh" \
    --mca btl self,tcp --mca btl_tcp_if_include 10.77.0.0/24 \
    --mca btl_tcp_flags 1 --mca oob_tcp_if_include 10.77.0.0/24 \
    --mca mpi_yield_when_idle 1 --bind-to none \
    "$@"
