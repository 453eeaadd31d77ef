#!/bin/sh
#SBATCH --job-name=autogrow-tables
#SBATCH --time=30
#SBATCH --mem=1G
#SBATCH --output='/scratch/my results/slurm/%j.out'

exec '/scratch/my results/slurm/xtask' reproduce merge '/scratch/my results' --out '/scratch/my results'
