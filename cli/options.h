/*
 * options.h: one table per command, from which parsing, --help, the man page
 * and bash completion are all made.
 *
 * A command is a struct cli_command; its option table says where in the
 * command's own settings struct each value goes. Settings start as a copy of
 * `defaults`. Long options take "--name VALUE" or "--name=VALUE"; "--" ends
 * options; a bare "-" is an argument (standard input). Options and arguments may
 * be mixed. Abbreviated option names are not accepted.
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <profuse/error.h>

enum cli_kind {
	CLI_FLAG,     /* bool; "--no-NAME" clears it where `negatable` */
	CLI_STRING,   /* const char * */
	CLI_LIST,     /* struct cli_list: may be repeated */
	CLI_COUNT,    /* uint64_t, decimal */
	CLI_NUMBER,   /* double */
	CLI_PERCENT,  /* double, 0 to 100: "80" or "80%" is 80; "0.8" may mean both: refused */
	CLI_SIZE,     /* uint64_t bytes: 512, 64KiB, 256MiB, 2GiB (and K, M, G as powers of 1024) */
	CLI_DURATION, /* double, seconds: 30, 30s, 500ms, 5m, 2h, 7d */
	CLI_CHOICE,   /* int: position in `choices` */
};

struct cli_list {
	const char **items; /* owned by the parser until cli_settings_release() */
	size_t count;
};

struct cli_option {
	const char *name; /* without dashes; NULL ends the table */
	char letter;      /* or 0 */
	enum cli_kind kind;
	size_t offset;        /* offsetof(struct settings, member) */
	const char *argument; /* placeholder in help: "FILE"; NULL for flags */
	const char *help;     /* one sentence, no full stop, default included by hand */
	const char *choices;  /* "extbinary|text|folded" for CLI_CHOICE */
	bool negatable;
};

/* What a run gets besides its settings. */
struct cli_arguments {
	char **items;
	size_t count;
};

struct cli_command {
	const char *name;
	const char *usage;       /* after "profuse NAME ": "[--binary BIN] -o OUT PROFILE…" */
	const char *summary;     /* one line for the list of commands */
	const char *description; /* paragraphs for --help and the man page, split by blank lines */
	const char *examples;    /* lines "command\n  what it does\n", or NULL */
	const struct cli_option *options;
	const void *defaults;
	size_t settings_size;
	size_t least_arguments, most_arguments; /* checked by the parser; SIZE_MAX: any number */
	/* Does the work; returns an enum pf_code. What it returns with a message in err is printed. */
	int (*run)(
	    const void *settings, const struct cli_arguments *arguments, struct pf_error *err);
};

/*
 * Parses argv (after the command's name) into `settings` (settings_size bytes,
 * caller-owned) and `arguments` (items points into argv, reordered). 0 or
 * PF_EUSAGE. *help is set when --help was asked for; nothing else is then checked.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv, void *settings,
    struct cli_arguments *arguments, bool *help, struct pf_error *err);
void cli_settings_release(const struct cli_command *command, void *settings);

/* One value as an option of this kind would take it; used by config keys too. 0 or PF_EUSAGE. */
int cli_parse_value(
    const struct cli_option *option, const char *text, void *settings, struct pf_error *err);

#endif
