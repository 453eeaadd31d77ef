#!/bin/sh
# Runs a command on a host, as mpirun would with ssh: on-host.sh HOST COMMAND...
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"
