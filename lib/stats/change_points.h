/*
 * change_points.h: where in a series of values did the level change?
 *
 * A segment is split where the Mann–Whitney statistic between its two parts is
 * largest, if a permutation test says that so large a one would be rare among
 * values of one level in random order; then its parts are looked at in the same
 * way (binary segmentation). No distribution is assumed, single outliers count
 * little.
 */
#ifndef PF_STATS_CHANGE_POINTS_H
#define PF_STATS_CHANGE_POINTS_H

#include <stddef.h>
#include <stdint.h>

struct pf_error;

enum { PF_CHANGE_LEAST = 4 }; /* values on each side of a change, at least */

struct pf_change_point {
	size_t at; /* the first value of the new level */
	double p;  /* of the permutation test */
};

/*
 * Fills `points` (room for n / PF_CHANGE_LEAST) in ascending order and *count.
 * `level`: the chance of a false one in a segment of one level, such as 0.01. The
 * same values and seed give the same answer. PF_ENOMEM.
 */
int pf_change_points(const double *values, size_t n, double level, uint64_t seed,
    struct pf_change_point *points, size_t *count, struct pf_error *err);

#endif
