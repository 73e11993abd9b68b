/*
 * report.h: what became of the samples, and whether the result deserves trust.
 *
 * Sample numbers here are samples (values divided by what one stands for).
 */
#ifndef PF_CONVERT_REPORT_H
#define PF_CONVERT_REPORT_H

#include <profuse/convert.h>

enum pf_drop_reason {
	PF_DROP_OTHER_BINARY,  /* libc, the kernel, another program */
	PF_DROP_OTHER_BUILD,   /* this program, another build id */
	PF_DROP_UNMAPPED,      /* the profile names no binary for them */
	PF_DROP_NOT_CODE,      /* not in this binary's code */
	PF_DROP_NO_SYMBOL,     /* in no function */
	PF_DROP_NO_LINES,      /* in functions without line information */
	PF_DROP_NO_PLACE,      /* on instructions without a line of their own */
	PF_DROP_NO_START_LINE, /* symbolized elsewhere, without the function's start line */
	PF_DROP_NO_CALLER,     /* a stack of one frame, where only calls count */
	PF_DROP_NO_FLOW,       /* in functions whose control flow could not be followed */
	PF_DROP_REASONS
};

struct pf_drop {
	enum pf_drop_reason reason;
	char *binary;   /* owned; NULL where the reason has no binary */
	char *build_id; /* owned; NULL: unknown */
	double samples;
};

enum pf_check_state { PF_CHECK_PASS, PF_CHECK_FAIL, PF_CHECK_UNKNOWN };

struct pf_check {
	const char *name;
	enum pf_check_state state;
	double value, limit;
	bool at_most; /* value may be at most the limit; else at least */
	bool share;   /* value and limit are percents */
};

enum { PF_CHECKS = 6, PF_NOTES = 16 };

struct pf_report {
	uint64_t profiles, undated;
	uint64_t repeated; /* profiles given again, which count no more */
	int64_t first_nanos, last_nanos, duration_nanos;
	int64_t useful_nanos; /* the same of profiles that have the binary */
	const char *type;     /* sample type, owned by the stacks */
	double unit;
	bool time;
	bool from_lines;   /* converted without addresses */
	bool probes;       /* counts belong to pseudo-probes */
	bool unique_names; /* by lines: clang made the names of functions of one file unique */
	bool of_go;        /* symbolized, with functions of Go's runtime */

	double total, in_binary, used;
	double steps; /* of this binary: instructions that the agent followed one by one */
	struct pf_drop *drops;
	size_t drop_count, drop_capacity;

	size_t functions;     /* with samples */
	size_t hot_functions; /* the fewest that hold 90 % of the binary's samples */
	size_t hot_covered;   /* of those, with line information */
	double line_share; /* percent of the binary's samples in functions with line information */
	size_t unfollowed; /* sampled functions whose control flow could not be followed wholly */

	size_t profile_functions, profile_counts; /* roots, and body counts, in the output */
	double scale;
	size_t edges_read;                    /* of Go: before trimming; profile_counts are left */
	double edge_weight, edge_weight_kept; /* the sum of the edges' weights */

	struct pf_check checks[PF_CHECKS];
	size_t check_count;
	bool ready;
	char notes[PF_NOTES][300];
	size_t note_count;
};

void pf_report_release(struct pf_report *r);

/* Counts samples as lost; strings are copied, may be NULL. Nothing for 0 samples. PF_ENOMEM. */
int pf_report_drop(struct pf_report *r, enum pf_drop_reason reason, const char *binary,
    const char *build_id, double samples, struct pf_error *err);

/* For an output that leaves nothing out. */
void pf_report_forget_drops(struct pf_report *r);
/* Orders the drops by reason, then by samples and names, whatever order they came in. */
void pf_report_sort_drops(struct pf_report *r);

/* Adds a sentence worth reading; beyond PF_NOTES they are left out. */
void pf_report_note(struct pf_report *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One function's part of the binary's samples. */
struct pf_share {
	double samples;
	bool covered;
};

/* Fills functions, hot_… and line_share; sorts `shares`. */
void pf_report_shares(struct pf_report *r, struct pf_share *shares, size_t n);

/* Fills checks and ready from the measures taken; overlap is 0 to 1. */
void pf_report_judge(struct pf_report *r, const struct pf_convert_options *options, double overlap);

/* Adds another check: a share, 0 to 1, that has to be at least so many percent. After pf_report_judge(). */
void pf_report_judge_share(struct pf_report *r, const char *name, double share, double least);

/* The words for a reason, as in JSON ("other-binary") and in text. */
const char *pf_drop_name(enum pf_drop_reason reason);

#endif
