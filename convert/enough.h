/*
 * enough.h: how much longer to profile where samples are too few.
 *
 * Samples come at the rate at which they came: so many more take so much longer.
 * The overlap of two halves grows with them by a law, too. Halves of n samples
 * differ in a function's share p by sqrt(2 p (1 - p) / (n / 2)) or so, each being an
 * independent draw, so what they lack of an overlap of 1 falls as 1 / sqrt(n): to
 * bring it from a to b takes (a / b)^2 times as many samples. Functions with less than
 * a sample or two fall slower than that, so where they are most of the profile this
 * is a lower bound.
 */
#ifndef PF_CONVERT_ENOUGH_H
#define PF_CONVERT_ENOUGH_H

struct pf_report;

/*
 * Seconds of profiling, of all processes together and beyond those behind the report, until its checks
 * for the number of samples and for the overlap should pass; 0 where they do; less than 0 where nobody can tell:
 * no duration, no samples, or an overlap of 0 or one of 100 % that is asked for.
 */
double pf_more_seconds(const struct pf_report *r);

/* Says it as a note, where there is something to say. */
void pf_note_more(struct pf_report *r);

#endif
