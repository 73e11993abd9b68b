/*
 * profuse/bench_history.h: results of bench that outlive their run: two JSON
 * reports compared, and a history of many with its changes of level.
 */
#ifndef PROFUSE_BENCH_HISTORY_H
#define PROFUSE_BENCH_HISTORY_H

#include <profuse/bench.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Zero is a good default for everything but confidence. */
struct pf_bench_compare_options {
	const char *variant; /* which of each report's; NULL: its last */
	double confidence;   /* 0: 0.95 */
	const char *const *gates;
	size_t gate_count;
};

/*
 * Compares a variant of two JSON reports: "old" and "new", unpaired, as
 * pf_compare_unpaired() does. *bench is as of a run, and to be freed. What
 * differs between the runs' conditions becomes a warning. PF_EIO, PF_EINPUT for
 * a file that is no report or lacks the variant, PF_EUSAGE for gates, PF_ENOMEM.
 */
int pf_bench_compare(struct pf_bench **bench, const char *old_path, const char *new_path,
    const struct pf_bench_compare_options *options, struct pf_error *err);

/*
 * Appends one line to a history file: JSON with the medians and changes of the
 * last variant. `label` says what was measured (a commit), or is NULL. The line is
 * written whole or not at all. PF_EIO, PF_ENOMEM.
 */
int pf_bench_append_history(
    const struct pf_bench *bench, const char *path, const char *label, struct pf_error *err);

struct pf_bench_trend; /* a history read, with the changes that were found; opaque */

/* PF_EIO; PF_EINPUT with the line for what is no history; PF_ENOMEM. */
int pf_bench_trend_read(struct pf_bench_trend **trend, const char *path, struct pf_error *err);
void pf_bench_trend_free(struct pf_bench_trend *trend);

/* PF_BENCH_TEXT, PF_BENCH_JSON or PF_BENCH_HTML; PF_EUSAGE for others; PF_EIO, PF_ENOMEM. */
int pf_bench_trend_write(const struct pf_bench_trend *trend, enum pf_bench_format format,
    const char *path, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
