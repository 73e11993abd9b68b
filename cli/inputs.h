/*
 * inputs.h: what `merge`, `show` and others share: PROFILE arguments, or what
 * was selected from stores, read one at a time into one merged profile, and the
 * options that say how.
 */
#ifndef CLI_INPUTS_H
#define CLI_INPUTS_H

#include <profuse/merge.h>

#include "core/strings.h"
#include "options.h"
#include "selection.h"

struct cli_input_settings {
	struct cli_selection_settings selection;
	const char *base;        /* what to subtract: a file, folder or @LIST; NULL: nothing */
	struct cli_list labels;  /* KEY=VALUE */
	struct cli_list dropped; /* label keys */
	bool drop_labels, merge_by_filename;
	bool count_once; /* not asked for by users: see profuse/merge.h */
	bool
	    only_written; /* not asked for by users: samples may stay where they are, see pf_merge_settle() */
	int scale_by;      /* 0 none, 1 duration */
	uint64_t max_size; /* 0: the defaults */
};

/* Rows of an option table; MEMBER is the settings' struct cli_input_settings. */
#define CLI_INPUT_OPTIONS(SETTINGS, MEMBER)                                                     \
	CLI_SELECTION_OPTIONS(SETTINGS, MEMBER.selection),                                      \
	    {.name = "label",                                                                   \
		.kind = CLI_LIST,                                                               \
		.offset = offsetof(SETTINGS, MEMBER.labels),                                    \
		.argument = "KEY=VALUE",                                                        \
		.help = "Only samples with this label (from a store: or whose target has it); " \
			"several values of one key: any of them, several keys: all of them"},   \
	    {.name = "scale-by",                                                                \
		.kind = CLI_CHOICE,                                                             \
		.offset = offsetof(SETTINGS, MEMBER.scale_by),                                  \
		.argument = "none|duration",                                                    \
		.choices = "none|duration",                                                     \
		.help = "Weigh each profile by the mean duration over its own, so that long "   \
			"windows don't dominate (default none)"},                               \
	    {.name = "merge-by-filename",                                                       \
		.kind = CLI_FLAG,                                                               \
		.offset = offsetof(SETTINGS, MEMBER.merge_by_filename),                         \
		.help = "Take unsymbolized binaries without build id as one build if their "    \
			"file names agree"},                                                    \
	    {.name = "max-size",                                                                \
		.kind = CLI_SIZE,                                                               \
		.offset = offsetof(SETTINGS, MEMBER.max_size),                                  \
		.argument = "SIZE",                                                             \
		.help = "Accept profiles up to this size once inflated, whatever their ratio "  \
			"(default 256MiB and 200:1)"}

/* What came of reading. A zeroed struct is empty. */
struct cli_inputs {
	struct pf_profile *profile;                                 /* owned */
	struct pf_strings warnings;                                 /* for --json; [0] is "" */
	uint64_t file_count, base_count, empty_count, sample_count; /* as read, before merging */
};

/*
 * Reads what the arguments name, or, where a store is asked for, what is
 * selected there (both is PF_EUSAGE), and the base, and merges. label_base keeps the
 * base's samples apart (see profuse/merge.h). Warnings go to standard error
 * and, for --json, into inputs->warnings. Release inputs after a failure too.
 */
int cli_inputs_read(struct cli_inputs *inputs, const struct cli_input_settings *settings,
    bool label_base, char *const *arguments, size_t count, struct pf_error *err);
/* Reads one file just as it is, unless the settings ask for a merge or path stands for several files. */
int cli_inputs_read_plain(struct cli_inputs *inputs, const struct cli_input_settings *settings,
    char *path, struct pf_error *err);
/* Says a sentence on standard error and keeps it for --json. */
void cli_inputs_warn(struct cli_inputs *inputs, const char *sentence);
void cli_inputs_release(struct cli_inputs *inputs);

#endif
