#!/bin/sh
#SBATCH --job-name=autogrow
#SBATCH --array=0-2
#SBATCH --time=30
#SBATCH --mem=1G
#SBATCH --cpus-per-task=4
#SBATCH --output='/scratch/my results/slurm/%A_%a.out'
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=TERM@300

case $SLURM_ARRAY_TASK_ID in
0) run=folder-basic4resnet-imagenet-1-1-1-1-periodic-k1-gaussian-s0-bb05207d ;;
1) run=folder-bottleneck4resnet-imagenet-1-1-1-1-periodic-k1-gaussian-s0-09428e88 ;;
2) run=folder-plain4net-imagenet-1-1-1-1-periodic-k1-gaussian-s0-a0e432a9 ;;
esac

# Before its time is over, every process of the step gets SIGTERM. The run then saves and ends with
# 143; what has started it ignores the signal and waits for that.
srun --cpus-per-task="$SLURM_CPUS_PER_TASK" sh -c 'trap "" TERM; exec "$@"' sh \
    '/scratch/my results/slurm/autogrow' reproduce table10 --scale smoke \
    --threads "$SLURM_CPUS_PER_TASK" --out '/scratch/my results' \
    --only "$run"
code=$?

# Saved, but not at its end: it goes on in another turn.
if [ $code -eq 143 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
