/*
 * gate.h: "cpu<=+1%", "p99<=80ms", "throughput>=4000": a demand on the result.
 *
 *	METRIC <= LIMIT   or   METRIC >= LIMIT
 *
 * A limit with a sign and "%" is a change relative to before; one without a
 * sign is absolute, about the after side, with the metric's unit: ns, us, ms, s;
 * B, KiB, MiB, GiB; % for errors; none for throughput. A gate fails when the
 * whole interval lies beyond the limit, passes when the whole interval keeps
 * it, and is inconclusive otherwise.
 */
#ifndef PF_BENCH_GATE_H
#define PF_BENCH_GATE_H

#include "bench/metrics.h"

struct pf_error;

struct pf_gate {
	const char *text; /* borrowed: as the user wrote it */
	enum pf_metric metric;
	bool at_least; /* ">=" */
	bool relative;
	double limit; /* a change (0.01 is +1 %), or in the metric's unit */
};

enum pf_gate_result {
	PF_GATE_PASSED,
	PF_GATE_FAILED,
	PF_GATE_UNDECIDED,
};

/* PF_EUSAGE with a sentence that shows the form. `text` is borrowed. */
int pf_gate_parse(struct pf_gate *gate, const char *text, struct pf_error *err);

/* The result for an interval of the change (relative) or of the after side's value (absolute). */
enum pf_gate_result pf_gate_judge(
    const struct pf_gate *gate, bool has_interval, double low, double high);

const char *pf_gate_result_name(
    enum pf_gate_result result); /* "passed", "failed", "inconclusive" */

#endif
