/*
 * symbolize.h: names for the addresses of a profile, from the binaries
 * themselves.
 */
#ifndef PF_REPORT_SYMBOLIZE_H
#define PF_REPORT_SYMBOLIZE_H

#include "profile/model.h"

/* Where names come from. A zeroed struct is empty; strings are borrowed for the call. */
struct pf_symbolize_options {
	const char *const *binaries;
	size_t binary_count;
	bool may_lack; /* a binary that belongs to no mapping is passed over, not an error */
	const char *const
	    *debug_files; /* of stripped binaries, or folders of them: symbol/binary.h */
	size_t debug_file_count;
	const char *const *perf_maps; /* of JIT compilers: symbol/perf_map.h */
	size_t perf_map_count;
	/* Gets sentences for a person, as in struct pf_binary_options. */
	void (*note)(void *context, const char *text);
	void *note_context;
};

/*
 * Gives every location without lines that lies in one of the binaries its
 * chain of inlined functions (DWARF), or else its symbol, and every one that
 * lies in no file its name in a map of JIT code. A mapping belongs to a binary
 * if their build ids agree or, where one of them has none, their file names.
 * PF_EINPUT where a binary belongs to no mapping, with both build ids, or a debug
 * file to no binary; PF_EIO; PF_ENOMEM.
 */
int pf_profile_symbolize(
    struct pf_profile *p, const struct pf_symbolize_options *options, struct pf_error *err);

#endif
