/*
 * profuse/merge.h: many profiles into one.
 *
 * What is equal is summed: mappings of one size and offset in one build (build
 * id, else file name), functions, locations (address within the mapping, and
 * lines), samples (locations and labels). Values are checked 64-bit sums. The
 * result is canonical: the same set of profiles in any order gives the same
 * bytes. Profiles are added one at a time and not kept: memory grows with what
 * is distinct in them, not with their number.
 *
 * Sample types that are not in every profile are left out, with a warning; none
 * in common is PF_EINPUT. Only the agent's steps/count is zero where a profile with
 * samples/count lacks it: none were taken there (docs/formats.md). Durations add up, the period is the greatest, the
 * time the earliest. Subtracted profiles change values only; one of another program
 * (main binaries of other names and build ids) is warned of.
 */
#ifndef PROFUSE_MERGE_H
#define PROFUSE_MERGE_H

#include <stdbool.h>

#include <profuse/profile.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pf_merge;

/* Fill with PF_MERGE_OPTIONS_INIT, then change. Strings must outlive the merge. */
struct pf_merge_options {
	size_t struct_size;
	/*
	 * Unsymbolized addresses in a binary that has no build id mean the same in
	 * two profiles only if it is the same build; nobody can tell. PF_EINPUT
	 * unless this is set. Locations that carry lines are not concerned.
	 */
	bool merge_by_filename;
	/* Weigh each profile by the mean of all durations over its own; one without is PF_EINPUT. */
	bool scale_by_duration;
	/* Keep subtracted samples apart, labelled pprof::base=true, as pprof's -diff_base does. */
	bool label_base;
	bool drop_all_labels;
	const char *const *drop_labels; /* keys */
	size_t drop_label_count;
	/* "KEY=VALUE": of samples, keep those with such a label; several of one key: any, of several keys: all. */
	const char *const *label_filters;
	size_t label_filter_count;
	/* Called for what the user should know but that stops nothing; a full sentence. May be NULL. */
	void (*warn)(void *data, const char *sentence);
	void *warn_data;
	/* Leave out what was read from the same bytes as a profile before (not what is subtracted), with a warning. */
	bool count_once;
};
#define PF_MERGE_OPTIONS_INIT {.struct_size = sizeof(struct pf_merge_options)}

/* An empty sum, to be freed. options may be NULL. PF_EUSAGE for a label filter without "="; PF_ENOMEM. */
int pf_merge_new(
    struct pf_merge **merge, const struct pf_merge_options *options, struct pf_error *err);
void pf_merge_free(struct pf_merge *merge);

/*
 * Adds or subtracts one profile, which the caller keeps; `name` stands for it
 * in messages. PF_EINPUT: see above, and sums beyond 64 bits. After a failure
 * the sum is incomplete: free it.
 */
int pf_merge_add(struct pf_merge *merge, const struct pf_profile *profile, const char *name,
    struct pf_error *err);
int pf_merge_subtract(struct pf_merge *merge, const struct pf_profile *profile, const char *name,
    struct pf_error *err);

/*
 * The same for a file ("-": standard input), read in parts (see
 * pf_profile_stream()): it may be larger than memory. Cheaper than opening it
 * and adding it, too. read may be NULL. Errors as pf_profile_open() as well.
 */
int pf_merge_add_file(struct pf_merge *merge, const char *path, const struct pf_read_options *read,
    struct pf_error *err);
int pf_merge_subtract_file(struct pf_merge *merge, const char *path,
    const struct pf_read_options *read, struct pf_error *err);

/* Samples read so far, before anything was merged. */
uint64_t pf_merge_sample_count(const struct pf_merge *merge);

/*
 * The sum as a profile of its own, to be freed by the caller; samples that
 * cancelled out are gone, and so is what no sample refers to. Once only: the
 * merge can then only be freed. PF_EINPUT if nothing was added.
 */
int pf_merge_finish(struct pf_merge *merge, struct pf_profile **profile, struct pf_error *err);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
