/*
 * selection.h: profiles that come from stores instead of files: the options
 * that select them, and reading them one at a time.
 */
#ifndef CLI_SELECTION_H
#define CLI_SELECTION_H

#include <profuse/profile.h>
#include <profuse/store.h>

#include "options.h"

struct cli_selection_settings {
	struct cli_list stores, services, instances, types, build_ids, versions, triggers;
	const char *since, *until, *trace;
	bool latest, keep_duplicates, keep_trace_labels;
};

/* Rows of an option table; MEMBER is the settings' struct cli_selection_settings. --label is the command's own. */
#define CLI_SELECTION_OPTIONS(SETTINGS, MEMBER)                                   \
	CLI_STORE_OPTION(SETTINGS, MEMBER), CLI_SERVICE_OPTION(SETTINGS, MEMBER), \
	    CLI_OTHER_SELECTION_OPTIONS(SETTINGS, MEMBER)

/* The same in parts, for a command to which --service means something else as well. */
#define CLI_STORE_OPTION(SETTINGS, MEMBER)                                                   \
	{.name = "store",                                                                    \
	    .kind = CLI_LIST,                                                                \
	    .offset = offsetof(SETTINGS, MEMBER.stores),                                     \
	    .argument = "DIR",                                                               \
	    .help = "Profiles come from this store; several are read together, and nothing " \
		    "in them counts twice (default PROFUSE_STORE, else ./profuse-store)"}
#define CLI_SERVICE_OPTION(SETTINGS, MEMBER)               \
	{.name = "service",                                \
	    .kind = CLI_LIST,                              \
	    .offset = offsetof(SETTINGS, MEMBER.services), \
	    .argument = "NAME",                            \
	    .help = "Of this service; may be repeated, as may the next ones"}
#define CLI_OTHER_SELECTION_OPTIONS(SETTINGS, MEMBER)                                          \
	{.name = "instance",                                                                   \
	    .kind = CLI_LIST,                                                                  \
	    .offset = offsetof(SETTINGS, MEMBER.instances),                                    \
	    .argument = "HOST:PORT",                                                           \
	    .help = "Of this instance"},                                                       \
	    {.name = "type",                                                                   \
		.kind = CLI_LIST,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.types),                                    \
		.argument = "TYPE",                                                            \
		.help = "Of this type: cpu, heap, allocs, goroutine, mutex, block, threads",   \
		.choices = "cpu|heap|allocs|goroutine|mutex|block|threads"},                   \
	    {.name = "build-id",                                                               \
		.kind = CLI_LIST,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.build_ids),                                \
		.argument = "ID",                                                              \
		.help = "Of the main binary with this build id, or its beginning"},            \
	    {.name = "version",                                                                \
		.kind = CLI_LIST,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.versions),                                 \
		.argument = "VERSION",                                                         \
		.help = "Whose target has this label version"},                                \
	    {.name = "trigger",                                                                \
		.kind = CLI_LIST,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.triggers),                                 \
		.argument = "NAME",                                                            \
		.help = "Taken because this trigger fired"},                                   \
	    {.name = "since",                                                                  \
		.kind = CLI_STRING,                                                            \
		.offset = offsetof(SETTINGS, MEMBER.since),                                    \
		.argument = "TIME",                                                            \
		.help = "Begun at or after TIME: so long ago (24h, 7d), or "                   \
			"2026-01-31T12:00:00Z, or 2026-01-31"},                                \
	    {.name = "until",                                                                  \
		.kind = CLI_STRING,                                                            \
		.offset = offsetof(SETTINGS, MEMBER.until),                                    \
		.argument = "TIME",                                                            \
		.help = "Begun before TIME"},                                                  \
	    {.name = "latest",                                                                 \
		.kind = CLI_FLAG,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.latest),                                   \
		.help = "Only the newest of each instance and type, as heaps want it"},        \
	    {.name = "keep-duplicates",                                                        \
		.kind = CLI_FLAG,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.keep_duplicates),                          \
		.help = "Also windows that were measured twice; they are left out otherwise"}, \
	    {.name = "trace",                                                                  \
		.kind = CLI_STRING,                                                            \
		.offset = offsetof(SETTINGS, MEMBER.trace),                                    \
		.argument = "ID",                                                              \
		.help = "Only samples with this trace or span id"},                            \
	    {.name = "keep-trace-labels",                                                      \
		.kind = CLI_FLAG,                                                              \
		.offset = offsetof(SETTINGS, MEMBER.keep_trace_labels),                        \
		.help = "Keep labels that name traces and spans; by default they are "         \
			"dropped, as each would keep samples apart"}

/* Whether any option (PROFUSE_STORE alone is none) asks for a store. */
bool cli_selection_asked(const struct cli_selection_settings *settings);

/* A zeroed struct is empty. */
struct cli_selection {
	struct pf_store **stores; /* owned, each */
	size_t store_count;
	struct pf_selection *selection;
	const struct cli_selection_settings *settings;
	const struct cli_list *labels;
	char name[256]; /* of the profile last read, for messages */
};

/* What `settings` and `labels` (NAME=VALUE, may be NULL) say, as a filter that borrows them. PF_EUSAGE. */
int cli_selection_filter(struct pf_store_filter *filter,
    const struct cli_selection_settings *settings, const struct cli_list *labels,
    struct pf_error *err);

/* The folder of the only store there may be. PF_EUSAGE for several. */
int cli_selection_store(
    const char **path, const struct cli_selection_settings *settings, struct pf_error *err);

/*
 * Opens the stores and selects, for reading; says on standard error what is left
 * out. Both settings must outlive it. Release it after a failure too.
 */
int cli_selection_open(struct cli_selection *s, const struct cli_selection_settings *settings,
    const struct cli_list *labels, struct pf_error *err);
void cli_selection_release(struct cli_selection *s);

/* PF_EINPUT unless something was selected. */
int cli_selection_check_any(const struct cli_selection *s, struct pf_error *err);

/*
 * The i-th profile in the order in which reading is cheapest, to be freed:
 * samples without the trace, or without the labels that its target lacks, are
 * gone. s->name stands for it in messages.
 */
int cli_selection_profile(struct cli_selection *s, size_t i, const struct pf_read_options *options,
    struct pf_profile **profile, struct pf_error *err);
/* The same of the i-th in the order of time. */
int cli_selection_entry_profile(struct cli_selection *s, size_t i,
    const struct pf_read_options *options, struct pf_profile **profile, struct pf_error *err);

/* "24h" ago, "2026-01-31" or "2026-01-31T12:00:00Z" in nanoseconds since the epoch. PF_EUSAGE. */
int cli_parse_time(const char *option, const char *text, int64_t *nanos, struct pf_error *err);

#endif
