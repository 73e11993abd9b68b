/*
 * profuse/convert.h: from profiles of a running service to a profile that a
 * compiler takes.
 *
 *	pf_convert_new → pf_convert_add, once a profile → pf_convert_run
 *	→ pf_convert_write, pf_convert_report_…, pf_convert_ready → pf_convert_free
 *
 * The same profiles, binary and options give the same bytes, in whatever order
 * the profiles are added. A handle is used by one thread at a time.
 */
#ifndef PROFUSE_CONVERT_H
#define PROFUSE_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <profuse/error.h>
#include <profuse/profile.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pf_convert;

/* How the executions of a place's instructions become its count. */
enum pf_counts {
	PF_COUNTS_MEAN, /* their mean, each times its duplication factor */
	PF_COUNTS_SUM,  /* as llvm-profgen --leading-ip-only: no duplication factor */
	PF_COUNTS_MAX,  /* as llvm-profgen: the largest, each times its duplication factor */
};

/* What becomes of counts in inlined copies of a function; of profiles for clang. */
enum pf_layout {
	PF_LAYOUT_FLAT, /* they are the function's own: clang's ordinary inliner decides anew */
	PF_LAYOUT_NEST, /* they stay below the function that the copy is in: clang inlines it there again, early */
};

/* How samples become executions of instructions. */
enum pf_inference {
	PF_INFERENCE_NONE,  /* an instruction's own samples */
	PF_INFERENCE_BLOCK, /* the mean over its basic block */
	PF_INFERENCE_FLOW,  /* what flows through the control flow graph */
};

/* What a function profile's counts belong to. */
enum pf_places {
	PF_PLACES_AUTO,   /* probes where the binary has them, else lines */
	PF_PLACES_LINES,  /* lines and discriminators */
	PF_PLACES_PROBES, /* pseudo-probes (-fpseudo-probe-for-profiling) */
};

enum pf_convert_format {
	PF_CONVERT_EXTBINARY,     /* LLVM's extensible binary sample profile */
	PF_CONVERT_TEXT,          /* LLVM's text sample profile */
	PF_CONVERT_FOLDED,        /* one line a stack: "main;parse;next 12" */
	PF_CONVERT_GO_PGO,        /* profile.proto for go build -pgo, cut to what it reads */
	PF_CONVERT_GO_PREPROFILE, /* the same as Go's compiler wants it: "GO PREPROFILE V1" */
	PF_CONVERT_BOLT,          /* llvm-bolt's fdata */
	PF_CONVERT_GCC,           /* GCC's auto-profile; by lines, without discriminators */
};

/* Fill with PF_CONVERT_OPTIONS_INIT, then change. Strings are copied. */
struct pf_convert_options {
	size_t struct_size;
	const char *binary;      /* path; NULL: the profiles must be symbolized already */
	const char *sample_type; /* NULL: "instructions", "samples", "cpu", or perf_to_profile's */
	enum pf_counts counts;
	enum pf_inference inference;
	enum pf_places places;
	enum pf_convert_format format;
	bool md5, compress, symbol_list; /* extbinary only */
	bool allow_build_id_mismatch, merge_by_filename;
	/* Go only: keep the heaviest call edges that hold so many percent of the weight, at most so many */
	double trim;
	uint64_t max_edges;
	const char *stale_against; /* path of a newer build to compare the profile with, or NULL */
	/* what "ready" asks for */
	double least_samples;
	double least_line_share; /* percent */
	double least_overlap;    /* percent */
	double least_match;      /* percent; asked only with stale_against */
	double most_age;         /* seconds */
	uint64_t seed;           /* of the split into halves */
	int64_t now_nanos;       /* since the epoch; 0: the clock */
	/* Files, or folders like /usr/lib/debug, with the debug information of a stripped binary. */
	const char *const *debug_files;
	size_t debug_file_count;
	/*
	 * Gets sentences that a person should know although they are no failure, such as a
	 * download of debug information; until pf_convert_free(). NULL: nobody.
	 */
	void (*note)(void *context, const char *text);
	void *note_context;
	enum pf_layout layout;
};
#define PF_CONVERT_OPTIONS_INIT                            \
	{.struct_size = sizeof(struct pf_convert_options), \
	    .counts = PF_COUNTS_MEAN,                      \
	    .inference = PF_INFERENCE_FLOW,                \
	    .trim = 99.9,                                  \
	    .max_edges = 10000,                            \
	    .least_samples = 1000,                         \
	    .least_line_share = 80,                        \
	    .least_overlap = 60,                           \
	    .least_match = 80,                             \
	    .most_age = 30 * 86400.0,                      \
	    .seed = 1}

/*
 * Opens the binary. On success *convert is to be freed. PF_EUSAGE on options
 * that make no sense; PF_EIO, PF_EINPUT on the binary.
 */
int pf_convert_new(
    struct pf_convert **convert, const struct pf_convert_options *options, struct pf_error *err);
void pf_convert_free(struct pf_convert *convert);

/*
 * Adds a profile; `name` stands for it in messages. The profile stays the
 * caller's. One that was read from the same bytes as another before counts no
 * more: the report says so. After a failure the handle can only be freed.
 */
int pf_convert_add(struct pf_convert *convert, const struct pf_profile *profile, const char *name,
    struct pf_error *err);

/* Reads a file ("-": standard input) and adds it; the provenance record then has its digest. */
int pf_convert_add_file(struct pf_convert *convert, const char *path,
    const struct pf_read_options *options, struct pf_error *err);

/*
 * Converts what was added, once. PF_EINPUT if there is nothing usable: another
 * build, no samples in the binary, no line information.
 */
int pf_convert_run(struct pf_convert *convert, struct pf_error *err);

/* After a run: the bytes of the chosen format, owned by the handle. */
const void *pf_convert_bytes(const struct pf_convert *convert, size_t *size);
/* Writes them, whole or not at all ("-": standard output). */
int pf_convert_write(const struct pf_convert *convert, const char *path, struct pf_error *err);

/* After a run: whether the profile is ready by the options' measures. */
bool pf_convert_ready(const struct pf_convert *convert);
/* The readiness verdict as plain text, or as one JSON object (docs/convert.md); *text is to be freed. */
int pf_convert_report_text(
    const struct pf_convert *convert, const char *output, char **text, struct pf_error *err);
int pf_convert_report_json(
    const struct pf_convert *convert, const char *output, char **json, struct pf_error *err);
/*
 * What the output was made of, as one JSON object to be kept beside it
 * (docs/pipeline.md): digests, build ids, options, the verdict's checks. It has no
 * paths and no clock in it: the same inputs give the same bytes. *json is to be freed.
 */
int pf_convert_provenance_json(
    const struct pf_convert *convert, const char *output, char **json, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
