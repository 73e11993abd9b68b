/*
 * read_cost.c: what reading a profile costs beside what zlib needs to inflate it.
 *
 * Usage: read_cost FILE.pb.gz ROUNDS
 *
 * Rounds alternate: zlib's inflate over the file's bytes into one small window, used again and again; then
 * pf_profile_open() and pf_profile_free(), everything new each time. Prints the least and the median CPU time (user and
 * system) of each, in microseconds, and the ratio of the medians.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include <profuse/profile.h>

#include "core/error.h"
#include "core/file.h"

enum { WINDOW = 128 << 10, MOST_ROUNDS = 1000 };

static double
cpu_microseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
inflate_all(const struct pf_buffer *packed)
{
	static uint8_t window[WINDOW];
	z_stream z = {.next_in = packed->bytes, .avail_in = (uInt)packed->size};
	int status = inflateInit2(&z, 15 + 16);

	while (status == Z_OK) {
		z.next_out = window;
		z.avail_out = sizeof window;
		status = inflate(&z, Z_NO_FLUSH);
	}
	inflateEnd(&z);
	return status == Z_STREAM_END;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(int argc, char **argv)
{
	static double zlib[MOST_ROUNDS], ours[MOST_ROUNDS];
	int rounds = argc == 3 ? (int)strtol(argv[2], NULL, 10) : 0;
	struct pf_read_options options = PF_READ_OPTIONS_INIT;
	struct pf_buffer packed;
	struct pf_error err;

	if (rounds < 1 || rounds > MOST_ROUNDS) {
		fprintf(stderr, "usage: read_cost FILE.pb.gz ROUNDS\n");
		return 2;
	}
	options.max_size = UINT64_MAX;
	pf_buffer_init(&packed, PF_BUFFER_NO_MAXIMUM);
	if (pf_file_read(argv[1], &packed, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	for (int i = 0; i < rounds; i++) {
		double start = cpu_microseconds();
		struct pf_profile *p;

		if (!inflate_all(&packed)) {
			fprintf(stderr, "%s: not gzip\n", argv[1]);
			return 1;
		}
		zlib[i] = cpu_microseconds() - start;
		start = cpu_microseconds();
		if (pf_profile_open(&p, argv[1], &options, &err)) {
			fprintf(stderr, "%s\n", err.message);
			return 1;
		}
		pf_profile_free(p);
		ours[i] = cpu_microseconds() - start;
	}
	qsort(zlib, (size_t)rounds, sizeof *zlib, by_size);
	qsort(ours, (size_t)rounds, sizeof *ours, by_size);
	printf("%zu bytes: zlib %.0f (median %.0f) us, read %.0f (median %.0f) us, ratio of "
	       "medians %.2f\n",
	    packed.size, zlib[0], zlib[rounds / 2], ours[0], ours[rounds / 2],
	    ours[rounds / 2] / zlib[rounds / 2]);
	pf_buffer_release(&packed);
	return 0;
}
