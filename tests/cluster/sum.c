/* Seconds of a sum of float32 over ranks, as points for `cargo xtask scaling`:
 *
 *     mpicc -O2 -o sum tests/cluster/sum.c
 *     tests/cluster/mpirun.sh ./sum REPETITIONS BYTES...
 *
 * It is done as AutoGrow does it: each rank adds up one part of all numbers, which the others send
 * it, and sends them the sums; in both exchanges all messages are under way at once.
 *
 * Each repetition is a row of sums, so that it counts little that ranks do not begin it at the same
 * time. Each point is the fastest of the repetitions, since what disturbs one only slows it down. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

/* Sums in a row. */
#define ROW 4

static int rank, ranks;

/* Sends every rank `to + its number * to_step` and receives from each into `from + ...`. */
static void exchange(const float *to, int to_step, float *from, int from_step, int count) {
    MPI_Request *pending = malloc(2 * ranks * sizeof *pending);
    int requests = 0;
    for (int other = 0; other < ranks; other++)
        if (other != rank)
            MPI_Irecv(from + (size_t)other * from_step, count, MPI_FLOAT, other, 0, MPI_COMM_WORLD,
                      &pending[requests++]);
    for (int other = 0; other < ranks; other++)
        if (other != rank)
            MPI_Isend(to + (size_t)other * to_step, count, MPI_FLOAT, other, 0, MPI_COMM_WORLD,
                      &pending[requests++]);
    MPI_Waitall(requests, pending, MPI_STATUSES_IGNORE);
    free(pending);
}

static void sum(float *numbers, float *parts, int part) {
    exchange(numbers, part, parts, part, part);
    float *own = numbers + (size_t)rank * part;
    for (int other = 0; other < ranks; other++)
        if (other != rank)
            for (int i = 0; i < part; i++) own[i] += parts[(size_t)other * part + i];
    exchange(own, 0, numbers, part, part);
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int repetitions = argc > 1 ? atoi(argv[1]) : 0;
    if (repetitions < 1 && rank == 0) fprintf(stderr, "usage: sum REPETITIONS BYTES...\n");
    for (int i = 2; i < argc && repetitions > 0; i++) {
        int part = (atoi(argv[i]) / 4 + ranks - 1) / ranks;
        float *numbers = calloc((size_t)part * ranks, 4), *parts = calloc((size_t)part * ranks, 4);
        double fastest = 1e9;
        /* The first one opens connections. */
        for (int repetition = -1; repetition < repetitions; repetition++) {
            MPI_Barrier(MPI_COMM_WORLD);
            double start = MPI_Wtime(), took, slowest;
            for (int j = 0; j < ROW; j++) sum(numbers, parts, part);
            took = (MPI_Wtime() - start) / ROW;
            MPI_Allreduce(&took, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
            if (repetition >= 0 && slowest < fastest) fastest = slowest;
        }
        if (rank == 0) {
            printf("[[all_reduce]]\nranks = %d\nbytes = %d\nseconds = %.6f\n\n", ranks,
                   atoi(argv[i]), fastest);
            fflush(stdout);
        }
        free(numbers);
        free(parts);
    }
    MPI_Finalize();
    return repetitions < 1 ? 2 : 0;
}
