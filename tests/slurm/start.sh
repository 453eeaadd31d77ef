#!/bin/sh
# A Slurm cluster on this machine, to try `autogrow reproduce --slurm` with: a controller and
# nodes of one CPU each, all of them processes here. Needs root and Debian's packages
# `slurm-wlm munge`.
#
#     tests/slurm/start.sh [NODES]     # 2 without
#     export SLURM_CONF=/run/autogrow-slurm/slurm.conf
#     autogrow reproduce table3 --scale smoke --slurm
#     tests/slurm/stop.sh
#
# Jobs are neither confined nor accounted for: no cgroups, no database. `--mem` is thus a number
# that the scheduler counts with, and memory that a job takes beyond it is not noticed.
set -eu

nodes=${1:-2}
dir=/run/autogrow-slurm
# Each node claims more than its part of this machine, so that the memory of jobs decides nothing.
memory=65536

if [ -e "$dir" ]; then
    echo "error: $dir is there already; tests/slurm/stop.sh ends that cluster" >&2
    exit 2
fi
mkdir -p "$dir/state" "$dir/spool"

# The daemons and commands recognise each other by a key that munge holds.
mkdir -p /run/munge
chown munge: /run/munge
[ -e /etc/munge/munge.key ] || mungekey --create
chown munge: /etc/munge/munge.key
if ! munge -n </dev/null >/dev/null 2>&1; then
    setpriv --reuid=munge --regid=munge --init-groups munged
fi

cat >"$dir/slurm.conf" <<EOF
ClusterName=autogrow
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
SlurmctldPidFile=$dir/slurmctld.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmctldPort=16817
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmdLogFile=$dir/slurmd-%n.log
SlurmdSpoolDir=$dir/spool/%n
StateSaveLocation=$dir/state
AuthType=auth/munge
MailProg=/bin/true
# Processes are told apart by their parents, and left on whatever CPU they are.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# Nodes have what is written below, whatever the machine has.
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# A node that was down comes back when it says that it is there.
ReturnToService=2
# Look for jobs that can start often: they are short here.
SchedulerParameters=sched_interval=2,sched_min_interval=0,bf_interval=5
KillWait=10
EOF
for i in $(seq "$nodes"); do
    echo "NodeName=n$i NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((16817 + i))" \
        "CPUs=1 RealMemory=$memory"
done >>"$dir/slurm.conf"
echo "PartitionName=all Nodes=n[1-$nodes] Default=YES MaxTime=1-0" >>"$dir/slurm.conf"

export SLURM_CONF="$dir/slurm.conf"
slurmctld -c -i
for i in $(seq "$nodes"); do
    mkdir -p "$dir/spool/n$i"
    slurmd -N "n$i"
done
for _ in $(seq 50); do
    idle=$(sinfo --noheader --Node --states=idle --format=%N 2>/dev/null | wc -l)
    [ "$idle" -lt "$nodes" ] || break
    sleep 0.2
done
sinfo --Node
echo "export SLURM_CONF=$SLURM_CONF"
