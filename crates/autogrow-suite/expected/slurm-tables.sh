#!/bin/sh
#SBATCH --job-name=autogrow-tables
#SBATCH --time=30
#SBATCH --mem=1G
#SBATCH --cpus-per-task=1
#SBATCH --output='/scratch/my results/slurm/%j.out'

exec '/scratch/my results/slurm/autogrow' suite --merge '/scratch/my results' --out '/scratch/my results' --threads 1
